// RPC: placeholder until its first file lands.
