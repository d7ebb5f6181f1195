internal import Transport

/// Where a client connects, as whom, and how it behaves (`clients/BEHAVIOUR.md`).
public struct HitoClientConfiguration: Sendable {
  /// Which of several servers a call goes to.
  public enum Balancing: Sendable, Hashable {
    /// The first that answers, for as long as it does.
    case pickFirst
    /// One after the other; those that do not answer are left out.
    case roundRobin
  }

  /// Servers of the same data.
  public var addresses: [HitoAddress]
  public var tls: HitoClientTLS
  /// A bearer token for all calls that bring none.
  public var token: String?
  /// Makes the tokens where there is none: asked by the first call, before a token ends, and when a server refuses it; the
  /// refused call is repeated once.
  public var tokenProvider: ClientTokenProvider?
  /// How long the provider may take for one token.
  public var tokenTimeout = Duration.seconds(10)
  /// Is told what happens to the client.
  public var log: ClientLogFunction?
  /// What it calls itself to the server.
  public var agent = "hito-swift"
  /// Whether messages of 4 KiB and more go compressed, both ways, where the server reads that. It costs both sides
  /// processor time, and pays where the network is slow.
  public var compresses = false
  public var balancing = Balancing.pickFirst
  /// Connections to one address. Another one is opened when the calls on those that there are reach what the server
  /// allows.
  public var connectionsPerAddress = 4
  /// Whether servers are asked how they are, so that one that says that it does not serve gets no new calls while
  /// others do. That is a call for each address.
  public var checksHealth = false
  /// Whether calls wait for a server that cannot be reached, where they do not say it themselves.
  public var waitsForReady = false
  /// Makes unary calls that read again beside the first where no response comes; nil = they are not. A call can say
  /// otherwise.
  public var hedging: HedgingPolicy?
  /// How long a unary call may take that does not say it, repeats included.
  public var timeout = Duration.seconds(30)
  /// For an attempt to connect.
  public var connectTimeout = Duration.seconds(10)
  /// After so long a silence a connection on which calls wait is asked for a sign of life, but no more often than
  /// the server wants to be; where it says nothing for as long again, it has ended.
  public var keepalive = Duration.seconds(10)
  /// A larger message of the server ends its call with RESOURCE_EXHAUSTED. 16 KiB at least.
  public var messageByteCountMax = 4 << 20
  /// How many calls are repeated at once, over all calls of the client.
  public var repeatBurst = 100
  /// How many a second when that is used up; further repeats wait, and further copies are not made.
  public var repeatsPerSecond = 200

  public init(addresses: [HitoAddress], tls: HitoClientTLS = .system, token: String? = nil) {
    self.addresses = addresses
    self.tls = tls
    self.token = token
  }

  /// What is not said to the transport in its initializer.
  func apply(to settings: inout ClientConfiguration) {
    settings.tokenProvider = tokenProvider
    settings.tokenTimeout = max(.milliseconds(1), tokenTimeout)
    settings.log = log
    settings.isInTurn = balancing == .roundRobin
    settings.connectionCountMax = connectionsPerAddress
    settings.healthProbe = checksHealth ? .healthService : nil
    settings.waitsForReady = waitsForReady
    settings.hedging = hedging
    settings.unaryTimeoutDefault = timeout
    settings.connectTimeout = connectTimeout
    settings.keepaliveIdle = max(.milliseconds(10), keepalive)
    settings.keepaliveTimeout = settings.keepaliveIdle
    settings.limits.messageByteCountMax = max(16 << 10, messageByteCountMax)
    settings.retryBudget.burst = max(1, repeatBurst)
    settings.retryBudget.perSecond = max(1, repeatsPerSecond)
  }
}

extension HealthProbe {
  /// `HealthService/Watch`.
  fileprivate static var healthService: HealthProbe {
    HealthProbe(
      method: HealthServiceMethods.watch, request: HealthWatchRequest().encodedBytes(),
      isServing: { bytes in
        (try? HealthCheckResponse.decode(bytes)).map {
          $0.status != .notServing && $0.status != .draining
        }
      })
  }
}
