import JSON

/// Reads what a provider answers, member by member. One that is missing or null is nil; one of
/// another type than is asked for makes the whole answer malformed, where the answer is nothing
/// without it.
extension JSONValue {
  /// Deeper than any reply that we ask for.
  static let answerDepthMax = 32

  init(answer bytes: [UInt8]) throws(ProviderFailure) {
    guard let value = JSONValue(parsing: bytes, depthMax: Self.answerDepthMax),
      case .object = value
    else { throw .malformed }
    self = value
  }

  func text(_ name: String) throws(ProviderFailure) -> String? {
    guard let value = try member(name) else { return nil }
    guard let text = value.stringValue else { throw .malformed }
    return text
  }

  /// A count, however it is written: `12`, `12.0`, `"12"`. Nil for anything else: an answer is none
  /// the worse for it.
  func count(_ name: String) -> Int? {
    guard let value = self[name] else { return nil }
    guard let number = value.doubleValue ?? value.stringValue.flatMap({ Double($0) }),
      number.isFinite
    else { return nil }
    return Int(min(max(number, -1e15), 1e15).rounded())
  }

  func list(_ name: String) throws(ProviderFailure) -> [JSONValue]? {
    guard let value = try member(name) else { return nil }
    guard let values = value.arrayValue else { throw .malformed }
    return values
  }

  func object(_ name: String) throws(ProviderFailure) -> JSONValue? {
    guard let value = try member(name) else { return nil }
    guard case .object = value else { throw .malformed }
    return value
  }

  /// What a provider says went wrong, where it says so: as `error`, or with the whole answer.
  var errorDetails: ProviderErrorReply.Details? {
    guard let error = self["error"] else {
      let isError = ["object", "type"].contains { self[$0]?.stringValue == "error" }
      return isError ? ProviderErrorReply.Details(self) : nil
    }
    switch error {
    case .null, .bool(false), .string(""): return nil
    case .object(let members) where members.isEmpty: return nil
    default: return ProviderErrorReply.Details(error)
    }
  }

  private func member(_ name: String) throws(ProviderFailure) -> JSONValue? {
    guard case .object = self else { throw .malformed }
    guard let value = self[name], value != .null else { return nil }
    return value
  }
}
