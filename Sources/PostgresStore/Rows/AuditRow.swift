import Domain

/// The number is given by the insert: see `AuditStatements.append`.
enum AuditRow: TableRow {
  static let layout = RowLayout(of: AuditRow.self, "audit_entries", as: "a")
  static let blank = AuditEntry(
    id: .blank, kind: .notice, method: "", firstAt: .blank, lastAt: .blank)

  static func visit(_ entry: inout AuditEntry, _ columns: inout some ColumnVisitor) {
    columns.read("a.number", &entry.number)
    columns.key("id", &entry.id)
    columns.fixed("kind", &entry.kind)
    columns.fixed("actor_id", &entry.actorID)
    columns.fixed("token_id", &entry.tokenID)
    columns.fixed("subject_id", &entry.subjectID)
    columns.fixed("method", &entry.method)
    columns.fixed("status", &entry.status)
    columns.fixed("reason", &entry.reason)
    columns.fixed("peer", &entry.peer)
    columns.fixed("count", &entry.count)
    columns.fixed("first_at", &entry.firstAt)
    columns.fixed("last_at", &entry.lastAt)
  }
}

extension AuditEntry.Kind: SQLValue {}

enum SealRow: TableRow {
  static let layout = RowLayout(of: SealRow.self, "log_seals", as: "s")
  static let blank = LogSeal(
    number: 0, lastPosition: 0, lastEntry: 0, madeAt: .blank, rowsHash: [], marks: [], hash: [],
    signature: [])

  static func visit(_ seal: inout LogSeal, _ columns: inout some ColumnVisitor) {
    columns.key("number", &seal.number)
    columns.fixed("last_position", &seal.lastPosition)
    columns.fixed("last_entry", &seal.lastEntry)
    columns.fixed("made_at", &seal.madeAt)
    columns.fixed("rows_hash", &seal.rowsHash)
    columns.fixed("marks", &seal.marks)
    columns.fixed("hash", &seal.hash)
    columns.fixed("signature", &seal.signature)
  }
}
