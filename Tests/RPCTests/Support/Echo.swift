import RPC

/// A message that is its bytes.
struct Echo: WireMessage, Equatable {
  static let fullName = "test.Echo"
  var bytes: [UInt8]

  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> Echo {
    guard bytes.count <= limits.memoryBudgetByteCount else { throw DecodeError(.tooLarge) }
    return Echo(bytes: Array(bytes))
  }
  var encodedByteCount: Int { bytes.count }
  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    let room = reserve(bytes.count)
    bytes.withUnsafeBytes { room.copyMemory(from: $0) }
  }
}

extension MethodDescriptor {
  /// A method of a test, for users unless the rule says otherwise.
  static func test(
    _ path: String, kind: MethodKind = .unary, isReadOnly: Bool = true,
    callers: MethodRule.Callers = .users, cost: MethodRule.Cost = .rows
  ) -> MethodDescriptor {
    MethodDescriptor(
      path: path, kind: kind, isReadOnly: isReadOnly,
      rule: MethodRule(callers: callers, cost: cost, timeout: .seconds(30)))
  }
}

extension Router {
  /// One call of a unary method with these bytes.
  func call(
    _ method: MethodDescriptor, _ bytes: [UInt8] = [], as principal: Principal? = nil,
    metadata: [(String, String)] = [], traceparent: String? = nil
  ) async throws -> [UInt8]? {
    guard case .unary(let decode)? = self[method.path]?.body else { return nil }
    let invocation = try bytes.withUnsafeBytes { try decode($0, DecodeLimits()) }
    let context = CallContext(
      method: method, principal: principal, metadata: metadata,
      traceparent: traceparent, connectionID: 3, streamID: 5)
    return (try await invocation(context) as? Echo)?.bytes
  }
}

extension Principal {
  static func test(_ role: Role, scopes: [String] = []) -> Principal {
    Principal(userID: "ada", role: role, tokenID: "t", scopes: scopes)
  }
}
