import Domain
import JSON

/// A row of a script's result, read from its texts.
struct RebuildCells {
  private let cells: [String?]

  init(_ cells: [String?]) { self.cells = cells }

  func text(_ column: Int) throws(StoreError) -> String {
    guard column < cells.count, let text = cells[column] else {
      throw .corrupt("a rebuilt row lacks its column \(column)")
    }
    return text
  }

  func value<Value>(
    _ column: Int, _ make: (String) -> Value?
  ) throws(StoreError) -> Value {
    guard let value = make(try text(column)) else {
      throw .corrupt("the column \(column) of a rebuilt row is not a \(Value.self)")
    }
    return value
  }

  func id(_ column: Int) throws(StoreError) -> EntityID {
    try value(column) { EntityID($0) }
  }

  func optionalID(_ column: Int) throws(StoreError) -> EntityID? {
    column < cells.count && cells[column] == nil ? nil : try id(column)
  }

  private func flag(_ column: Int) throws(StoreError) -> Bool { try text(column) == "t" }

  private func texts(_ column: Int) throws(StoreError) -> [String] {
    try value(column) { JSONValue(parsing: $0)?.arrayValue?.compactMap(\.stringValue) }
  }

  func document() throws(StoreError) -> DocumentVersion {
    let position: Int64 = try value(14) { Int64($0) }
    return DocumentVersion(
      documentID: try id(0), version: try value(1) { Int64($0) }, course: try id(2),
      content: BlobReference(
        ownerID: try id(3), hash: try value(4, EventBlob.hash(ofHexadecimal:))),
      ordinal: try value(5) { Int32($0) }, path: try text(6), language: try text(7),
      format: try value(8) { DocumentFormat(rawValue: $0) }, isDeleted: try flag(9),
      isCourseThere: try flag(10), isOld: try flag(11),
      origin: RebuildProblem(
        eventID: try id(12), type: try text(13), position: position, .notAnObject))
  }

  func chunk() throws(StoreError) -> StoredChunk {
    StoredChunk(
      number: try value(0) { Int32($0) },
      identity: ChunkIdentity(
        contentHash: try value(1, EventBlob.hash(ofHexadecimal:)), anchor: try text(2),
        language: try text(3)))
  }

  /// What passages are made of; nothing else of the entity is in it.
  func entity() throws(StoreError) -> PassageWork {
    let kind: PassageKind = try value(0) { PassageKind(rawValue: $0) }
    let (id, userID) = (try id(1), try id(2))
    switch kind {
    case .goal:
      return .goal(
        Goal(
          id: id, userID: userID, title: try text(3), description: try text(4),
          status: try value(5) { WorkStatus(rawValue: $0) }, validationCriteria: try texts(7),
          createdAt: .blank, updatedAt: .blank))
    case .course:
      return .course(
        Course(
          id: id, userID: userID, title: try text(3), description: try text(4),
          language: try text(6), technologies: try texts(7), attributes: [:],
          status: try value(5) { CourseStatus(rawValue: $0) }, createdAt: .blank,
          updatedAt: .blank))
    case .codeSnapshot:
      return .snapshot(
        CodeSnapshot(
          id: id, userID: userID, filePath: try text(3), language: try text(6),
          content: try text(4), contentHash: [], createdAt: .blank, updatedAt: .blank))
    }
  }
}
