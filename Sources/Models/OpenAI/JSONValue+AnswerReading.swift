import JSON

/// Reads what a provider answers, member by member. One that is missing or null is nil; one of
/// another type than is asked for makes the whole answer malformed.
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

  func count(_ name: String) throws(ProviderFailure) -> Int? {
    guard let value = try member(name) else { return nil }
    guard let count = value.integerValue else { throw .malformed }
    return Int(count)
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

  /// What a provider says went wrong, where it says so.
  var errorDetails: ProviderErrorReply.Details? {
    guard let error = self["error"], error != .null else { return nil }
    return ProviderErrorReply.Details(error)
  }

  private func member(_ name: String) throws(ProviderFailure) -> JSONValue? {
    guard case .object = self else { throw .malformed }
    guard let value = self[name], value != .null else { return nil }
    return value
  }
}
