import Digits
import Domain
import JSON

/// Statements that are sent together, as one transaction.
struct Script {
  private let scripts: RebuildScripts
  private var statements: [String] = []

  init(_ scripts: RebuildScripts) { self.scripts = scripts }

  var isEmpty: Bool { statements.isEmpty }

  mutating func take() -> String {
    defer { statements = [] }
    return statements.joined(separator: "\n")
  }

  mutating func append(_ statement: String) { statements.append(statement) }

  mutating func append(files batch: RebuiltBatch) {
    var list = JSONList()
    for row in batch.rows {
      for file in row.files {
        list.append([
          ("snapshot_id", .string(row.id.description)), ("path", .string(file.path)),
          ("user_id", .string(file.content.ownerID.description)),
          ("content", .string(batch.contents[file.content] ?? "")),
        ])
      }
    }
    insert(
      "snapshot_files", ["snapshot_id", "path", "user_id", "content"], &list,
      conflict: "DO NOTHING")
    var unknown = JSONList()
    for row in batch.rows where row.unknown.contains(.snapshotFiles) {
      unknown.append([("snapshot_id", .string(row.id.description))])
    }
    insert("replay_unknown_files", ["snapshot_id"], &unknown, conflict: "DO NOTHING")
  }

  mutating func append(documents: [RebuiltRow]) {
    let copied = [
      "course_id", "ordinal", "path", "language", "format", "content_hash", "is_deleted",
    ]
    var list = JSONList()
    for row in documents {
      guard let owner = row.ownerID else { continue }
      list.append(
        copied.map { ($0, row.columns[$0] ?? .null) } + [
          ("document_id", .string(row.id.description)), ("version", .integer(row.version)),
          ("user_id", .string(owner.description)), ("is_old", .bool(row.isOld)),
          ("event_id", .string(row.origin.eventID.description)),
          ("event_type", .string(row.origin.type)), ("position", .integer(row.origin.position)),
        ])
    }
    insert(
      "replay_documents",
      copied + [
        "document_id", "version", "user_id", "is_old", "event_id", "event_type", "position",
      ], &list, conflict: "DO NOTHING")
  }

  mutating func append(revisions: [EntityID: Int64?]) {
    var list = JSONList()
    for (goal, revision) in revisions {
      list.append([
        ("goal_id", .string(goal.description)),
        ("revision", revision.map(JSONValue.integer) ?? .null),
      ])
    }
    // NULL is less than any number here.
    insert(
      "replay_revisions", ["goal_id", "revision"], &list,
      conflict: "(goal_id) DO UPDATE SET revision = greatest(t.revision, excluded.revision)")
  }

  mutating func append(events: [StoredEvent]) {
    var list = JSONList()
    for event in events {
      let plain = JSONValue.object([
        ("id", .string(event.id.description)), ("event_type", .string(event.type)),
        ("entity_type", .string(event.entityType)),
        ("entity_id", .string(event.entityID.description)), ("version", .integer(event.version)),
        ("user_id", event.userID.map { .string($0.description) } ?? .null),
        ("schema_version", .integer(Int64(event.schemaVersion))),
        ("created_at", .string(event.createdAt.description)),
        ("position", event.position > 0 ? .integer(event.position) : .null),
      ]).text.dropLast()
      // As they are stored: nothing is opened for a copy.
      list.append("\(plain),\(event.storedMembers)}")
    }
    insert(
      "events",
      [
        "id", "event_type", "entity_type", "entity_id", "version", "user_id", "schema_version",
        "created_at", "position", "payload", "metadata",
      ], &list, conflict: "DO NOTHING")
  }

  mutating func append(work rows: [RebuiltRow]) {
    for (table, kind) in [
      (RebuiltTable.courses, PassageKind.course), (.goals, .goal), (.codeSnapshots, .codeSnapshot),
    ] {
      let ids = rows.filter { $0.table == table }.map(\.id.description)
      if !ids.isEmpty { append(scripts.work(kind, ids: ids.joined(separator: ","))) }
    }
  }

  mutating func append(passages updates: [PassageUpdate]) {
    for update in updates where update.removesAll || !update.removedChunkNumbers.isEmpty {
      append(scripts.removePassages(update))
    }
    var list = JSONList()
    for upsert in updates.flatMap(\.upserts) {
      let passage = upsert.passage
      list.append([
        ("entity_type", .string(passage.kind.rawValue)),
        ("entity_id", .string(passage.entityID.description)),
        ("chunk_number", .integer(Int64(passage.chunkNumber))),
        ("user_id", .string(passage.userID.description)), ("title", .string(passage.title)),
        ("content", .string(passage.content)),
        ("content_hash", .string("\\x" + Digits.hexadecimal(upsert.contentHash))),
        ("language", .string(passage.language)), ("document_path", .string(passage.documentPath)),
        ("anchor", .string(passage.anchor)),
      ])
    }
    if !list.isEmpty { append(scripts.savePassages(rows: list.takeLiteral())) }
  }

  mutating func append(done work: [PassageWork]) {
    for item in work {
      let (kind, id): (PassageKind, EntityID)
      switch item {
      case .document(let document):
        append(
          """
          UPDATE \(scripts.schema).replay_documents SET is_done = true
            WHERE document_id = '\(document.documentID)' AND version = \(document.version);
          """)
        continue
      case .goal(let goal): (kind, id) = (.goal, goal.id)
      case .course(let course): (kind, id) = (.course, course.id)
      case .snapshot(let snapshot): (kind, id) = (.codeSnapshot, snapshot.id)
      }
      append(
        """
        DELETE FROM \(scripts.schema).replay_work
          WHERE kind = '\(kind.rawValue)' AND entity_id = '\(id)';
        """)
    }
  }

  private mutating func insert(
    _ table: String, _ columns: [String], _ list: inout JSONList, conflict: String
  ) {
    guard !list.isEmpty else { return }
    append(
      scripts.insert(table, columns: columns, rows: list.takeLiteral(), conflict: conflict))
  }
}
