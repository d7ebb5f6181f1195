import Domain

/// A passage as it is written; its vector is another table's.
enum PassageRow: TableRow {
  static let layout = RowLayout(of: PassageRow.self, "passages", as: "p")
  static let blank = PassageUpsert(passage: blankPassage, contentHash: [])

  fileprivate static let blankPassage = Passage(
    kind: .goal, entityID: .blank, userID: .blank, title: "", content: "", language: "")

  static func visit(_ upsert: inout PassageUpsert, _ columns: inout some ColumnVisitor) {
    visit(passage: &upsert.passage, &columns)
    columns.column("content_hash", &upsert.contentHash)
  }

  fileprivate static func visit(passage: inout Passage, _ columns: inout some ColumnVisitor) {
    columns.key("entity_type", &passage.kind)
    columns.key("entity_id", &passage.entityID)
    columns.key("chunk_number", &passage.chunkNumber)
    columns.column("user_id", &passage.userID)
    columns.column("title", &passage.title)
    columns.column("content", &passage.content)
    columns.column("language", &passage.language)
    columns.column("document_path", &passage.documentPath)
    columns.column("anchor", &passage.anchor)
  }
}

/// A passage as a search shows it, with more of its entity in `a.more`.
enum DescribedPassageRow: TableRow {
  static let layout = RowLayout(of: DescribedPassageRow.self, "passages", as: "p")
  static let blank = DescribedPassage(passage: PassageRow.blankPassage, attributes: [:])

  static func visit(_ described: inout DescribedPassage, _ columns: inout some ColumnVisitor) {
    PassageRow.visit(passage: &described.passage, &columns)
    columns.read(object: "a.more", &described.attributes)
  }
}

extension PassageKind: SQLValue {}
