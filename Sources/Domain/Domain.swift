// Domain: placeholder until its first file lands.
