/// Who sends how many messages in a call.
public enum MethodKind: String, Sendable, Hashable {
  case unary
  case serverStreaming
  case clientStreaming
  case bidirectional

  /// Whether the client sends exactly one message.
  public var hasSingleRequest: Bool { self == .unary || self == .serverStreaming }
  /// Whether the server sends exactly one message.
  public var hasSingleResponse: Bool { self == .unary || self == .clientStreaming }
}

/// What both sides know about a method before it is called. Generated.
public struct MethodDescriptor: Sendable, Hashable {
  /// `hito.v1.GoalService/CreateGoal`, as it stands in CALL.
  public let path: String
  public let kind: MethodKind
  /// Whether the proto says `idempotency_level = NO_SIDE_EFFECTS`: clients may repeat it freely.
  public let isReadOnly: Bool
  /// Nil for one that was made without the contract: a server refuses to register it.
  public let rule: MethodRule?

  public init(path: String, kind: MethodKind, isReadOnly: Bool, rule: MethodRule? = nil) {
    self.path = path
    self.kind = kind
    self.isReadOnly = isReadOnly
    self.rule = rule
  }

  /// The part before the slash: `hito.v1.GoalService`.
  public var service: Substring { path.prefix { $0 != "/" } }
  /// The part after the slash: `CreateGoal`.
  public var name: Substring { path.drop { $0 != "/" }.dropFirst() }
}
