extension Migration {
  /// The large contents of events, by owner and hash: code and documents. What is stored already is carried
  /// over; of what a document said before its last change nothing is known.
  static let eventBlobs = Migration(
    version: 27, name: "large contents of events",
    preparation: [
      .once(
        """
        CREATE TABLE IF NOT EXISTS event_blobs (
          user_id uuid NOT NULL,
          hash bytea NOT NULL CHECK (octet_length(hash) = 32),
          content text NOT NULL CHECK (octet_length(content) <= 2097152),
          PRIMARY KEY (user_id, hash)
        )
        """),
      .untilNothingIsLeft(carryOver(snapshots, limit: "LIMIT 500")),
      .untilNothingIsLeft(carryOver(files, limit: "LIMIT 500")),
      .untilNothingIsLeft(carryOver(documents, limit: "LIMIT 500")),
    ],
    // What was written while the rest was carried over.
    up: """
      \(carryOver(snapshots));
      \(carryOver(files));
      \(carryOver(documents))
      """,
    down: .sql("DROP TABLE event_blobs"))

  private static let snapshots =
    "SELECT user_id, code_hash AS hash, code_content AS content FROM code_snapshots"
  private static let files = """
    SELECT user_id, sha256(convert_to(content, 'UTF8')) AS hash, content FROM snapshot_files
    """
  private static let documents = """
    SELECT c.user_id, d.content_hash AS hash, d.content FROM course_documents d
    JOIN courses c ON c.id = d.course_id
    WHERE NOT d.is_deleted AND d.content_hash = sha256(convert_to(d.content, 'UTF8'))
    """

  private static func carryOver(_ source: String, limit: String = "") -> String {
    """
    INSERT INTO event_blobs (user_id, hash, content)
    SELECT s.user_id, s.hash, s.content FROM (\(source)) s
    WHERE NOT EXISTS (SELECT FROM event_blobs b WHERE b.user_id = s.user_id AND b.hash = s.hash)
    \(limit)
    ON CONFLICT DO NOTHING
    """
  }
}
