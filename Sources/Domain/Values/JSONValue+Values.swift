package import JSON

extension JSONValue {
  /// RFC 3339 text, or null.
  package init(_ timestamp: Timestamp?) {
    self = timestamp.map { .string($0.description) } ?? .null
  }

  /// The canonical text of an id, or null.
  package init(_ id: EntityID?) {
    self = id.map { .string($0.description) } ?? .null
  }

  package var id: EntityID? { stringValue.flatMap { EntityID($0) } }
}
