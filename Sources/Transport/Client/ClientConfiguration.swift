internal import NIOCore
internal import NIOPosix
package import OpenSSL
package import RPC
package import Wire

/// How a client connects, and how it retries.
package struct ClientConfiguration: Sendable {
  package var host: String
  package var port: Int
  package var tls: TLSContext
  /// The name that the server's certificate must carry; nil = `host`.
  package var serverName: String?
  /// A bearer token for all calls that bring none.
  package var token: String?
  /// Makes the tokens where there is none.
  package var tokenProvider: ClientTokenProvider?
  /// For one question to the provider.
  package var tokenTimeout = Duration.seconds(10)
  /// Is told what happens to the client.
  package var log: ClientLogFunction?
  package var agent = "hito-swift"
  package var limits = ReceiveLimits()
  /// Whether large messages go out compressed where the server reads that, and replies may come so. It costs both
  /// sides processor time, and pays where the network is slow.
  package var compresses = false
  package var decodeLimits = DecodeLimits(memoryBudgetByteCount: 64 << 20)
  package var connectTimeout = Duration.seconds(10)
  package var unaryTimeoutDefault = WireLimit.unaryTimeoutDefault
  /// After so long a silence a connection with running calls is asked for a sign of life, but no more often than
  /// the server wants to be.
  package var keepaliveIdle = Duration.seconds(10)
  package var keepaliveTimeout = Duration.seconds(10)
  /// Whether calls go to all addresses in turn, and not to the first that answers.
  package var isInTurn = false
  /// Connections to one address.
  package var connectionCountMax = 4
  /// How servers are asked whether they serve; nil = they are not.
  package var healthProbe: HealthProbe?
  /// For calls that do not say it.
  package var waitsForReady = false
  /// For unary calls that read and do not say it.
  package var hedging: HedgingPolicy?
  package var retry = RetryPolicy()
  package var retryBudget = RetryBudget()
  /// Reads what the details of an error say about repeating the call; this layer knows no messages.
  package var retryAdvice: @Sendable (RPCError) -> RetryAdvice = { _ in RetryAdvice() }
  /// Makes what looks names up on a connection's loop; nil = the system's.
  var resolver: (@Sendable (any EventLoop) -> any Resolver & Sendable)?

  package init(host: String, port: Int, tls: TLSContext, token: String? = nil) {
    self.host = host
    self.port = port
    self.tls = tls
    self.token = token
  }
}
