extension Migration {
  /// Which log this is, and where its history may have been cut.
  static let logEpochs = Migration(
    version: 18, name: "identity and epochs of the log",
    up: """
      -- Made once, and never again: a copy of the database is the same log, in another epoch.
      CREATE TABLE log_identity (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        id uuid NOT NULL DEFAULT gen_random_uuid()
      );
      INSERT INTO log_identity DEFAULT VALUES;

      -- One row for each time that the log may have lost events, only inserted into.
      CREATE TABLE log_epochs (
        number integer PRIMARY KEY CHECK (number > 0),
        -- At random, so that two ways from one backup are told apart. 32 bits.
        id bigint NOT NULL UNIQUE CHECK (id BETWEEN 0 AND 4294967295),
        began_after bigint NOT NULL CHECK (began_after >= 0),
        began_at timestamptz NOT NULL DEFAULT now(),
        reason text NOT NULL CHECK (reason IN ('created', 'database', 'loss', 'operator')),
        detail text NOT NULL DEFAULT '',
        -- Where it began: PostgreSQL's system identifier, its timeline and the database's number.
        system_id bigint NOT NULL,
        timeline bigint NOT NULL,
        database_id bigint NOT NULL
      );

      -- Which database this is among copies of it: a promotion and a recovery to a point in time change
      -- the timeline, a dump that is restored the rest. Not the timeline of pg_control_checkpoint(),
      -- which is the old one until the first checkpoint after a promotion. Zeros where the service
      -- does not let us ask.
      CREATE FUNCTION hito_place(OUT system_id bigint, OUT timeline bigint, OUT database_id bigint)
        LANGUAGE plpgsql VOLATILE AS $f$
        BEGIN
          SELECT d.oid INTO database_id FROM pg_catalog.pg_database d
            WHERE d.datname = pg_catalog.current_database();
          BEGIN
            SELECT c.system_identifier INTO system_id FROM pg_catalog.pg_control_system() c;
            timeline := ('x' || left(
              pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::bigint;
          EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
            system_id := 0;
            timeline := 0;
          END;
        END $f$;

      INSERT INTO log_epochs (number, id, began_after, reason, system_id, timeline, database_id)
      SELECT 1, floor(random() * 4294967296)::bigint, 0, 'created', p.* FROM hito_place() p;
      """,
    down: .sql(
      """
      DROP FUNCTION hito_place();
      DROP TABLE log_epochs;
      DROP TABLE log_identity;
      """))
}
