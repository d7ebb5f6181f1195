// Contract: placeholder until its first file lands.
