// Service: placeholder until its first file lands.
