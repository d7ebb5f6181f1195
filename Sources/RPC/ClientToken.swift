/// A bearer token that a client's token provider has made.
public struct ClientToken: Sendable {
  public var text: String
  /// For how long it is valid from now on; nil = not known: then the provider is asked again when a server refuses it.
  public var validFor: Duration?

  public init(_ text: String, validFor: Duration? = nil) {
    self.text = text
    self.validFor = validFor
  }
}

/// Makes a token. What it throws is the cause of the errors of the calls that have none then.
public typealias ClientTokenProvider = @Sendable () async throws -> ClientToken
