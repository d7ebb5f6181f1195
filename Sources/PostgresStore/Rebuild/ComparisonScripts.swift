import Domain

/// The scripts that compare a rebuilt schema with the live tables, each read from one snapshot.
extension RebuildScripts {
  /// All tables that a swap writes, so that nobody else writes them meanwhile; readers never wait.
  static let lock = """
    LOCK TABLE \((likeLive + ["events"]).map { "public.\($0)" }.joined(separator: ", "))
      IN SHARE ROW EXCLUSIVE MODE
    """

  static let head = """
    SELECT coalesce(max(position), 0) FROM event_positions
    """

  /// The most events that may wait for their positions while tables are compared.
  static let unsequencedMax = 100_000

  /// Events of the snapshot without a position, in the order of insertion. What the sequencer has written
  /// off is not looked at again.
  static let unsequenced = """
    SELECT e.id, e.seq, e.event_type, e.entity_type, e.entity_id, e.version, e.user_id,
      e.payload::text, e.metadata::text, e.schema_version,
      (extract(epoch FROM e.created_at) * 1000000)::bigint
    FROM (\(EventStatements.unsequenced("e.seq", "ASC", limit: "\(unsequencedMax + 1)"))) u
    JOIN public.events e ON e.seq = u.seq ORDER BY e.seq
    """

  /// The columns of a live table that are stored as they are written.
  static func columns(of table: String) -> String {
    """
    SELECT attname FROM pg_attribute
    WHERE attrelid = 'public.\(table)'::regclass AND attnum > 0 AND NOT attisdropped
      AND attgenerated = '' ORDER BY attnum
    """
  }

  /// What rows say that no event tells: revisions of goals whose events are all of older builds, and files
  /// of submissions of older builds. They are taken as they are, and counted.
  var settle: String {
    """
    UPDATE \(schema).goals g SET revision = v.revision FROM \(schema).replay_revisions v
      WHERE v.goal_id = g.id AND v.revision IS NOT NULL AND v.revision <> g.revision;
    UPDATE \(schema).goals g SET revision = l.revision
      FROM \(schema).replay_revisions v, public.goals l
      WHERE v.goal_id = g.id AND v.revision IS NULL AND l.id = g.id;
    INSERT INTO \(schema).snapshot_files SELECT f.* FROM public.snapshot_files f
      JOIN \(schema).replay_unknown_files u ON u.snapshot_id = f.snapshot_id
      ON CONFLICT DO NOTHING;
    SELECT (SELECT count(*) FROM \(schema).replay_revisions WHERE revision IS NULL),
      (SELECT count(*) FROM \(schema).replay_unknown_files)
    """
  }

  /// Key, kind and differing columns of the first differences; with how many there are.
  func differences(_ table: String, columns: [String], limit: Int) -> String {
    let keys = Self.key(of: table)
    let join = keys.map { "l.\($0) = r.\($0)" }.joined(separator: " AND ")
    return Self.report(
      """
      SELECT concat_ws('/', \(keys.map { "coalesce(l.\($0), r.\($0))" }.joined(separator: ", "))) AS key,
        \(Self.kind(keys[0])) AS kind, \(Self.differing(columns)) AS columns
      FROM public.\(table) l FULL JOIN \(schema).\(table) r ON \(join)
      WHERE l.\(keys[0]) IS NULL OR r.\(keys[0]) IS NULL OR \(Self.isOther(columns))
      """, limit: limit)
  }

  /// Events of positions that the live log still has.
  func eventDifferences(limit: Int) -> String {
    let columns = [
      "event_type", "entity_type", "entity_id", "version", "user_id", "payload", "metadata",
      "schema_version", "created_at", "position",
    ]
    return Self.report(
      """
      SELECT coalesce(l.id, r.id)::text AS key, \(Self.kind("id")) AS kind,
        \(Self.differing(columns)) AS columns
      FROM (
        SELECT e.*, p.position FROM public.events e LEFT JOIN event_positions p ON p.seq = e.seq) l
      FULL JOIN (
        SELECT r.* FROM \(schema).events r
        WHERE r.position IS NULL OR r.position > (SELECT f.position FROM event_floor f)) r
        ON l.id = r.id
      WHERE l.id IS NULL OR r.id IS NULL OR \(Self.isOther(columns))
      """, limit: limit)
  }

  /// Vectors are compared by the text that they are of and the model that made them. A passage that waits
  /// for its vector has none yet, and a course whose copies are being brought up to date has others.
  func vectorDifferences(limit: Int) -> String {
    let key = """
      concat_ws('/', coalesce(l.entity_type, r.entity_type), coalesce(l.entity_id, r.entity_id),
        coalesce(l.chunk_number, r.chunk_number), coalesce(l.user_id, r.user_id))
      """
    let join = """
      l.entity_type = r.entity_type AND l.entity_id = r.entity_id
        AND l.chunk_number = r.chunk_number AND l.user_id = r.user_id
      """
    return Self.report(
      """
      SELECT \(key) AS key, \(Self.kind("entity_id")) AS kind,
        concat_ws(',', CASE WHEN l.content_hash <> r.content_hash THEN 'content_hash' END,
          CASE WHEN l.model <> r.model THEN 'model' END,
          CASE WHEN l.content <> r.content THEN 'content' END) AS columns
      FROM (SELECT * FROM public.embeddings WHERE NOT is_copy) l
      FULL JOIN (
        SELECT p.*, m.name AS model FROM \(schema).passages p
        CROSS JOIN embedding_models m WHERE m.state = 'active') r ON \(join)
      WHERE r.entity_id IS NULL
        OR l.entity_id IS NULL AND NOT EXISTS (
          SELECT FROM public.passages w WHERE w.waits AND w.entity_type = r.entity_type
            AND w.entity_id = r.entity_id AND w.chunk_number = r.chunk_number)
        OR (l.content_hash, l.model, l.content) IS DISTINCT FROM (r.content_hash, r.model, r.content)
          AND l.entity_id IS NOT NULL
      UNION ALL
      SELECT \(key) || '/copy', \(Self.kind("entity_id")),
        CASE WHEN l.content_hash <> r.content_hash THEN 'content_hash' ELSE '' END
      FROM (
        SELECT * FROM public.embeddings e
        WHERE is_copy AND NOT EXISTS (
          SELECT FROM course_copies c WHERE c.course_id = e.entity_id)) l
      FULL JOIN (
        SELECT e.entity_type, e.entity_id, e.chunk_number, n.user_id, e.content_hash
        FROM public.embeddings e JOIN \(schema).enrolments n ON n.course_id = e.entity_id
        WHERE e.entity_type = 'course' AND e.chunk_number = 0 AND NOT e.is_copy AND n.is_active
          AND n.user_id <> e.user_id AND NOT EXISTS (
            SELECT FROM course_copies c WHERE c.course_id = e.entity_id)) r ON \(join)
      WHERE l.entity_id IS NULL OR r.entity_id IS NULL OR l.content_hash <> r.content_hash
      """, limit: limit)
  }

  /// How many passages wait for their vectors, and how many courses for their copies.
  static let waiting = """
    SELECT (SELECT count(*) FROM public.passages WHERE waits), (SELECT count(*) FROM course_copies)
    """

  func count(_ table: String) -> String { "SELECT count(*) FROM \(schema).\(table)" }

  // MARK: Parts

  private static func kind(_ key: String) -> String {
    """
    CASE WHEN r.\(key) IS NULL THEN 'live' WHEN l.\(key) IS NULL THEN 'rebuilt' ELSE 'both' END
    """
  }

  private static func differing(_ columns: [String]) -> String {
    let cases = columns.map { "CASE WHEN l.\($0) IS DISTINCT FROM r.\($0) THEN '\($0)' END" }
    return "concat_ws(',', \(cases.joined(separator: ", ")))"
  }

  private static func isOther(_ columns: [String]) -> String {
    let left = columns.map { "l.\($0)" }.joined(separator: ", ")
    let right = columns.map { "r.\($0)" }.joined(separator: ", ")
    return "(\(left)) IS DISTINCT FROM (\(right))"
  }

  private static func report(_ query: String, limit: Int) -> String {
    """
    SELECT d.key, d.kind, d.columns, count(*) OVER () FROM (\(query)) d
    ORDER BY d.key LIMIT \(max(1, limit))
    """
  }
}

/// Putting the rebuilt rows in the place of the live ones.
extension RebuildScripts {
  /// What a live table has that no event tells.
  func removeOthers(_ table: String) -> String {
    let keys = Self.key(of: table)
    let join = keys.map { "r.\($0) = l.\($0)" }.joined(separator: " AND ")
    let isOwn = table == "embeddings" ? "NOT l.is_copy AND " : ""
    return """
      WITH gone AS (
        DELETE FROM public.\(table) l
        WHERE \(isOwn)NOT EXISTS (SELECT FROM \(schema).\(table) r WHERE \(join)) RETURNING 1)
      SELECT count(*) FROM gone
      """
  }

  /// What differs or is missing.
  ///
  /// - Parameter compared: the columns that say whether a row differs; all of `columns` are written.
  func putInPlace(_ table: String, columns: [String], compared: [String]) -> String {
    let keys = Self.key(of: table)
    let names = columns.joined(separator: ", ")
    let changes = columns.filter { !keys.contains($0) && $0 != "id" }
      .map { "\($0) = excluded.\($0)" }
    let left = compared.map { "l.\($0)" }.joined(separator: ", ")
    let right = compared.map { "excluded.\($0)" }.joined(separator: ", ")
    let isOwn = table == "embeddings" ? " WHERE NOT r.is_copy" : ""
    return """
      WITH put AS (
        INSERT INTO public.\(table) AS l (\(names))
        SELECT \(columns.map { "r.\($0)" }.joined(separator: ", ")) FROM \(schema).\(table) r\(isOwn)
        ON CONFLICT (\(keys.joined(separator: ", "))) DO UPDATE SET \(changes.joined(separator: ", "))
          WHERE (\(left)) IS DISTINCT FROM (\(right)) RETURNING 1)
      SELECT count(*) FROM put
      """
  }

  /// A passage whose vector is nowhere waits for it, as a new one does.
  static let awaitVectors = """
    WITH waiting AS (
      UPDATE public.passages p SET waits = true, attempts = 0, next_attempt_at = '-infinity'
      WHERE NOT p.waits AND NOT EXISTS (
        SELECT FROM public.embeddings e WHERE e.entity_type = p.entity_type
          AND e.entity_id = p.entity_id AND e.chunk_number = p.chunk_number
          AND e.content_hash = p.content_hash AND NOT e.is_copy)
      RETURNING 1)
    SELECT count(*) FROM waiting
    """

  /// The copies of courses follow as they always do.
  static let requestCopies = """
    INSERT INTO public.course_copies (course_id)
      SELECT c.id FROM public.courses c
      WHERE EXISTS (SELECT FROM public.enrolments n WHERE n.course_id = c.id)
    ON CONFLICT (course_id) DO UPDATE SET after_user_id = excluded.after_user_id
    """
}
