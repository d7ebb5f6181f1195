// EventLake: placeholder until its first file lands.
