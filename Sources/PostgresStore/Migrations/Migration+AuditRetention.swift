import Domain

extension Migration {
  /// Entries of the audit may go once they are old; that they went is an entry.
  static let auditRetention = Migration(
    version: 28, name: "retention of audit entries",
    up: """
      -- Removes the first entries, those last seen before `moment` and sealed, and says so in an entry whose
      -- count is the number of the last one that went. Nothing of the last day; nothing where that is
      -- neither `row_max` entries nor a day of them, so that there are not as many entries about it.
      CREATE FUNCTION hito_purge_audit(moment timestamptz, row_max integer) RETURNS bigint
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      DECLARE
        due timestamptz := least(moment, now() - interval '1 day');
        newest bigint;
        sealed bigint;
        oldest timestamptz;
        looked bigint;
        through bigint;
        gone bigint;
      BEGIN
        PERFORM pg_advisory_xact_lock(\(AdvisoryLockKey.audit.rawValue));
        SELECT coalesce(max(number), 0) INTO newest FROM audit_entries;
        SELECT coalesce((SELECT s.last_entry FROM log_seals s ORDER BY s.number DESC LIMIT 1), 0)
        INTO sealed;
        -- The last one stays, for its number.
        SELECT min(o.last_at), count(*), coalesce(
          min(o.number) FILTER (WHERE o.last_at >= due OR o.number > sealed OR o.number = newest) - 1,
          max(o.number))
        INTO oldest, looked, through
        FROM (SELECT number, last_at FROM audit_entries ORDER BY number LIMIT row_max) o;
        IF looked = 0 THEN RETURN 0; END IF;
        IF looked < row_max AND oldest >= due - interval '1 day' THEN RETURN 0; END IF;
        DELETE FROM audit_entries WHERE number <= through;
        GET DIAGNOSTICS gone = ROW_COUNT;
        IF gone > 0 THEN
          INSERT INTO audit_entries (number, id, kind, method, status, reason, peer, count, first_at,
            last_at)
          VALUES (newest + 1, gen_random_uuid(), 'notice', '\(AuditEntry.removalMethod)', 0,
            'entries up to this number were removed: they were kept long enough', '', through, now(),
            now());
        END IF;
        RETURN gone;
      END
      $$;
      REVOKE EXECUTE ON FUNCTION hito_purge_audit(timestamptz, integer) FROM PUBLIC;
      """,
    down: .sql("DROP FUNCTION hito_purge_audit(timestamptz, integer);"))
}
