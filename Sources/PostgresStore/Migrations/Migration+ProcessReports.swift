extension Migration {
  /// What each process says of what it does, for those that are asked.
  static let processReports = Migration(
    version: 29, name: "reports of processes",
    up: """
      -- Only what is new is worth anything: nothing is written ahead, and a standby begins without.
      CREATE UNLOGGED TABLE process_reports (
        process_id uuid NOT NULL,
        process text NOT NULL CHECK (octet_length(process) BETWEEN 1 AND 300),
        pipeline text NOT NULL CHECK (octet_length(pipeline) BETWEEN 1 AND 100),
        position bigint NOT NULL,
        waiting bigint NOT NULL,
        detail text NOT NULL CHECK (octet_length(detail) <= 2000),
        last_error text NOT NULL CHECK (octet_length(last_error) <= 2000),
        condition text CHECK (condition IN ('connected', 'blocked', 'away')),
        condition_since timestamptz,
        unconfirmed bigint NOT NULL,
        reported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (process_id, pipeline)
      ) WITH (fillfactor = 50);
      """,
    down: .sql("DROP TABLE process_reports"))
}
