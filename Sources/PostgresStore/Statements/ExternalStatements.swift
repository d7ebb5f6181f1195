import Domain

/// What is known of other systems.
enum ExternalStatements {
  static let records = Query<[String], [String]>(
    "external.records",
    """
    SELECT x.source, x.external_id, x.event_id, x.content_hash
    FROM unnest($1, $2) AS n (source, external_id)
    JOIN external_events x ON x.source = n.source AND x.external_id = n.external_id
    """)

  static let subjects = Query<[String], [String]>(
    "external.subjects",
    """
    SELECT x.source, x.subject, x.entity_id, x.version
    FROM unnest($1, $2) AS n (source, subject)
    JOIN external_subjects x ON x.source = n.source AND x.subject = n.subject
    """)

  private static let insertRecords = Query<[String], [String], [EntityID], [Bytes]>(
    "external.insert_records",
    """
    INSERT INTO external_events (source, external_id, event_id, content_hash)
    SELECT * FROM unnest($1, $2, $3, $4)
    """)

  /// One after the other in the order of their names, so that two batches never wait for each other.
  private static let insertSubjects = Query<[String], [String], [EntityID], [Int64]>(
    "external.insert_subjects",
    """
    INSERT INTO external_subjects (source, subject, entity_id, version)
    SELECT * FROM unnest($1, $2, $3, $4)
    """)

  /// `$4` the versions that they had.
  private static let updateSubjects = Query<[String], [String], [Int64], [Int64]>(
    "external.update_subjects",
    Statement.guarded(
      """
      UPDATE external_subjects x SET version = n.version
      FROM (SELECT s.source, s.subject, n.version FROM unnest($1, $2, $3, $4)
          AS n (source, subject, version, loaded)
        JOIN external_subjects s ON s.source = n.source AND s.subject = n.subject
          AND s.version = n.loaded
        ORDER BY s.source, s.subject FOR UPDATE OF s) n
      WHERE x.source = n.source AND x.subject = n.subject
      """, rowCount: "cardinality($1)"))

  static func calls(_ records: [ExternalRecord]) -> [StatementCall] {
    if records.isEmpty { return [] }
    let sorted = records.sorted {
      ($0.key.source, $0.key.externalID) < ($1.key.source, $1.key.externalID)
    }
    return [
      insertRecords(
        sorted.map(\.key.source), sorted.map(\.key.externalID), sorted.map(\.eventID),
        sorted.map { Bytes($0.contentHash) })
    ]
  }

  static func calls(_ subjects: [ExternalSubject]) -> [StatementCall] {
    let new = subjects.filter { $0.loadedVersion == 0 }
    let old = subjects.filter { $0.loadedVersion > 0 }
    var calls: [StatementCall] = []
    if !new.isEmpty {
      calls.append(
        insertSubjects(
          new.map(\.key.source), new.map(\.key.subject), new.map(\.entityID), new.map(\.version)))
    }
    if !old.isEmpty {
      calls.append(
        updateSubjects(
          old.map(\.key.source), old.map(\.key.subject), old.map(\.version),
          old.map(\.loadedVersion)))
    }
    return calls
  }

  static let all: [any StatementSource] = [
    records, subjects, insertRecords, insertSubjects, updateSubjects,
  ]
}
