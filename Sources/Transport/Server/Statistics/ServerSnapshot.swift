package import RPC

/// A look into a running server.
package struct ServerSnapshot: Sendable {
  package init() {}

  package var connections: [Connection] = []
  package var totals = CallCounters()
  package var acceptedConnectionCount = 0
  package var refusedConnectionCount = 0

  package struct Connection: Sendable {
    package var id: UInt64
    package var remoteAddress: String
    package var agent: String
    /// Of the connection's own token; empty where it has none.
    package var userID: String
    package var age: Duration
    package var isDraining: Bool
    package var minorVersion: UInt16
    /// How messages to it may be compressed, by name.
    package var encodings: [String]
    /// Bytes of messages that may still be sent to it.
    package var creditLeft: Int
    /// Credit that it has not had back.
    package var creditOwed: Int
    /// Bytes that it makes the server keep.
    package var keptByteCount: Int
    /// Bytes of frames, before TLS.
    package var byteCountIn: Int64
    package var byteCountOut: Int64
    package var calls: [Call]
  }

  package struct Call: Sendable {
    package var stream: UInt32
    package var path: String
    package var kind: MethodKind
    package var userID: String?
    package var age: Duration
    /// Until its deadline; nil where it has none.
    package var timeLeft: Duration?
    package var phase: CallStage
    package var traceID: String
  }
}
