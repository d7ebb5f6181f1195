// PostgresStore: placeholder until its first file lands.
