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
  package var agent = "hito-swift"
  package var limits = ReceiveLimits()
  package var decodeLimits = DecodeLimits(memoryBudgetByteCount: 64 << 20)
  package var connectTimeout = Duration.seconds(10)
  package var unaryTimeoutDefault = WireLimit.unaryTimeoutDefault
  /// After so long a silence a connection with running calls is asked for a sign of life.
  package var keepaliveIdle = Duration.seconds(30)
  package var keepaliveTimeout = Duration.seconds(20)
  package var retry = RetryPolicy()

  package init(host: String, port: Int, tls: TLSContext, token: String? = nil) {
    self.host = host
    self.port = port
    self.tls = tls
    self.token = token
  }
}

/// When and how often a client repeats a call (W14).
package struct RetryPolicy: Sendable, Hashable {
  /// Attempts in all; 1 = no retries.
  package var attemptCountMax = 5
  package var backoffMin = Duration.milliseconds(50)
  package var backoffMax = Duration.seconds(5)

  package init() {}

  /// The wait before attempt `number` (1 = the first retry): exponential, with full jitter above half.
  package func backoff(beforeRetry number: Int, jitter: Double) -> Duration {
    let factor = Double(1 << min(max(number, 1) - 1, 20))
    return min(backoffMin * factor, backoffMax) * (0.5 + jitter / 2)
  }

  /// Whether a call that ended with `error` may be repeated by itself.
  package func allowsRetry(
    after error: RPCError, method: MethodDescriptor, hasIdempotencyKey: Bool
  ) -> Bool {
    guard error.code == .unavailable, !(error.cause is TLSError) else { return false }
    return error.isNotStarted || method.isReadOnly
      || (method.kind == .unary && hasIdempotencyKey)
  }
}
