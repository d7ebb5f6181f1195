import Domain

/// `seq` and `position` are the log's own: an insert leaves them out. The position is a column of
/// `event_positions p`.
enum EventRow: TableRow {
  static let layout = RowLayout(of: EventRow.self, "events", as: "e")
  static let blank = StoredEvent(
    id: .blank, seq: 0, position: 0, type: "", entityType: "", entityID: .blank, version: 0,
    userID: nil, payload: "", metadata: "", createdAt: .blank)

  static func visit(_ event: inout StoredEvent, _ columns: inout some ColumnVisitor) {
    columns.key("id", &event.id)
    columns.read("e.seq", &event.seq)
    // One without a position has 0.
    var position: Int64? = event.position
    columns.read("p.position", &position)
    event.position = position ?? 0
    columns.fixed("event_type", &event.type)
    columns.fixed("entity_type", &event.entityType)
    columns.fixed("entity_id", &event.entityID)
    columns.fixed("version", &event.version)
    columns.fixed("user_id", &event.userID)
    visit(json: &event.payload, as: "payload", &columns)
    visit(json: &event.metadata, as: "metadata", &columns)
    columns.fixed("schema_version", &event.schemaVersion)
    columns.fixed("created_at", &event.createdAt)
  }

  private static func visit(
    json sealed: inout SealedJSON, as name: StaticString, _ columns: inout some ColumnVisitor
  ) {
    var json = JSONText(sealed.sealedText)
    columns.fixed(name, &json)
    sealed = SealedJSON(sealedText: json.text)
  }
}

extension StoredEvent {
  /// Payload and metadata as members of a JSON object, as they are stored: nothing is opened for a copy.
  var storedMembers: String {
    "\"payload\":\(payload.sealedText),\"metadata\":\(metadata.sealedText)"
  }
}

extension SealedJSON {
  /// What a script read of the table.
  init(stored text: String) { self.init(sealedText: text) }
}
