// HitoClient: placeholder until its first file lands.
