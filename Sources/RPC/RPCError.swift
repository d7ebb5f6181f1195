public import Wire

/// The one error of a call, on both sides.
///
/// A handler throws it to choose what the caller sees. Any other error that a handler throws reaches
/// the caller as `UNKNOWN` with a fixed text, and stays in the server's log.
public struct RPCError: Error, Sendable {
  public var code: StatusCode
  /// For developers, in English; never contains secrets or foreign error text.
  public var message: String
  /// An encoded `hito.v1.ErrorDetails`, or empty.
  public var details: [UInt8]
  /// Where a broken subscription continues.
  public var resumeCursor: String?
  /// What led to it, for the log of this process only. Never sent.
  package var cause: (any Error)?
  /// Whether the server said it; otherwise this process inferred it (no connection, own deadline).
  public var isFromServer: Bool
  /// Whether the server certainly never started the call: repeating it is always safe.
  public var isNotStarted: Bool
  /// Whether a handler refuses the call before it has done anything: the client is told that it was not started.
  package var isRefusal = false
  /// Whether no server was found. A call that is to wait for one has waited then.
  package var isUnreachable = false

  public init(
    _ code: StatusCode, _ message: String, details: [UInt8] = [], resumeCursor: String? = nil
  ) {
    self.code = code
    self.message = message
    self.details = details
    self.resumeCursor = resumeCursor
    self.cause = nil
    self.isFromServer = false
    self.isNotStarted = false
  }

  /// The same error with what led to it, for the log.
  package func caused(by cause: any Error) -> RPCError {
    var copy = self
    copy.cause = cause
    return copy
  }
}

extension RPCError: CustomStringConvertible {
  public var description: String { message.isEmpty ? "\(code)" : "\(code): \(message)" }
}

extension RPCError {
  // The reasons that this layer gives, which knows no messages: encoded `hito.v1.ErrorDetails`.
  // (`ContractTests` reads them.)

  /// What a caller is told whose token is limited to other methods, whatever its role.
  package static let outsideScopes = "the token's scopes do not cover this method"

  /// The reason `MALFORMED_MESSAGE`.
  package static let malformedMessage: [UInt8] = [0x08, 0x06]

  /// The reason `DRAINING`.
  private static let drainingDetails: [UInt8] = [0x08, 0x0D]
  /// The reason `STREAM_STALLED`.
  private static let stalledDetails: [UInt8] = [0x08, 0x0F]

  /// The server goes away; what was running continues elsewhere.
  package static func draining(resumeCursor: String? = nil) -> RPCError {
    RPCError(
      .unavailable, "the server is going away; resume on another connection",
      details: drainingDetails, resumeCursor: resumeCursor)
  }

  /// The client took nothing of a call for so long.
  package static func stalled(for time: Duration) -> RPCError {
    RPCError(
      .unavailable,
      "nothing of this call could be sent for \(time.components.seconds) s: "
        + "grant credit, read, and resume", details: stalledDetails)
  }

  /// An encoded `hito.v1.ErrorDetails` with the reason `LIMIT_REACHED` and a retry delay of a second:
  /// for what was refused because too much is kept or under way.
  package static let busy: [UInt8] = [0x08, 0x05, 0x18, 0xC0, 0x84, 0x3D]

  /// `write_outcome` of an encoded `hito.v1.ErrorDetails`, to be appended to others: NOT_WRITTEN and UNKNOWN.
  private static let notWrittenDetails: [UInt8] = [0x80, 0x01, 0x01]
  private static let outcomeUnknownDetails: [UInt8] = [0x80, 0x01, 0x02]

  /// The same error of a write that ends before its handler has: whether it may have been committed.
  package func ofWrite(mayBeCommitted: Bool) -> RPCError {
    var copy = self
    copy.details += mayBeCommitted ? Self.outcomeUnknownDetails : Self.notWrittenDetails
    copy.message +=
      mayBeCommitted
      ? "; the write may have been committed: repeat it under the same idempotency key"
      : "; nothing was written"
    return copy
  }

  /// What the caller sees of an error that left a handler.
  package init(fromHandler error: any Error) {
    switch error {
    case let error as RPCError where error.code != .ok:
      self = error
    case is CancellationError:
      self = RPCError(.cancelled, "the call was cancelled")
    case let error as DecodeError:
      self = RPCError(
        .invalidArgument, "the request does not decode: \(error)", details: Self.malformedMessage)
    default:
      // The text is fixed: foreign errors quote SQL, paths and secrets.
      self = RPCError(.unknown, "internal error").caused(by: error)
    }
  }
}
