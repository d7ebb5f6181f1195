extension Migration {
  /// How far the log is published to a broker, and by whom.
  static let publications = Migration(
    version: 26, name: "publication of the log",
    up: """
      CREATE TABLE event_publications (
        -- The exchange: another one begins at the beginning.
        name text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 127),
        -- Everything up to here was confirmed. Of the same database as the log, with which it goes back.
        position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
        -- Who may publish, until when by the clock of the database, and how many have before.
        owner uuid NOT NULL,
        generation bigint NOT NULL CHECK (generation > 0),
        expires_at timestamptz NOT NULL,
        condition text CHECK (condition IN ('connected', 'blocked', 'away')),
        condition_since timestamptz,
        unconfirmed bigint NOT NULL DEFAULT 0 CHECK (unconfirmed >= 0),
        last_error text NOT NULL DEFAULT '' CHECK (octet_length(last_error) <= 2000)
      ) WITH (fillfactor = 50);
      """,
    down: .sql("DROP TABLE event_publications"))
}
