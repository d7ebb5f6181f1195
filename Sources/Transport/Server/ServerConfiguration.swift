package import RPC
package import Wire

/// How a server listens, and its limits.
package struct ServerConfiguration: Sendable {
  /// Where to listen; port 0 lets the system choose.
  package var host: String
  package var port: Int
  /// Event loop threads; one per core is enough.
  package var threadCount: Int
  package var connectionCountMax: Int
  /// Of an IPv4 address or an IPv6 network of 64 bits; nil = a quarter of `connectionCountMax`.
  package var connectionsPerAddressMax: Int?
  /// What every connection grants its client.
  package var limits = ReceiveLimits()
  package var decodeLimits = DecodeLimits()
  package var handshakeTimeout = Duration.seconds(10)
  package var helloTimeout = Duration.seconds(10)
  package var pingInterval = WireLimit.pingIntervalDefault
  package var keepaliveIdle = Duration.seconds(60)
  package var keepaliveTimeout = Duration.seconds(20)
  /// How long a drain waits for the client's PONG before its second GOAWAY.
  package var drainRoundTripMax = Duration.seconds(1)
  /// Connections drain after this, plus up to a tenth; nil = never.
  package var connectionAgeMax: Duration?
  /// How long the calls of a connection that drains for its age or for being idle may continue.
  package var connectionGrace = Duration.seconds(20)
  /// How long a stream lasts that needs no token, at a peer that never authenticated.
  package var publicStreamTimeMax = Duration.seconds(600)
  /// How long a connection may be without a call.
  package var idle = IdleMachine.Limits()
  /// A unary call's timeout is cut to this, and that of a method open to everybody to the second.
  package var unaryTimeoutMax = Duration.seconds(3600)
  package var publicTimeoutMax = Duration.seconds(10)
  /// How long a token's answer is trusted: so long a new call may be let in as who the caller was.
  package var authenticationTTL = Duration.seconds(2)
  /// Messages of one connection that wait for the client's credit, in bytes.
  package var pendingOutputByteCountMax = 16 << 20
  package var memory = MemoryLimits()
  /// How long a call waits for a client that takes nothing of its output.
  package var streamStallMax = Duration.seconds(60)
  /// From when on a unary call is remembered as slow; nil: none is.
  package var slowCallMin: Duration? = .seconds(1)
  /// Sent in HELLO.
  package var serverID = "hito"
  package var agent = "hito-server"

  package init(
    host: String = "127.0.0.1", port: Int = 0, threadCount: Int = 1,
    connectionCountMax: Int = 10_000
  ) {
    self.host = host
    self.port = port
    self.threadCount = threadCount
    self.connectionCountMax = connectionCountMax
  }
}

extension ServerConfiguration {
  /// The machine's part of it, with the age's jitter.
  func machineConfiguration() -> ServerConnectionMachine.Configuration {
    var machine = ServerConnectionMachine.Configuration()
    machine.limits = limits
    machine.pingInterval = pingInterval
    machine.helloTimeout = helloTimeout
    machine.keepaliveIdle = keepaliveIdle
    machine.keepaliveTimeout = keepaliveTimeout
    machine.idle = idle
    machine.drainGrace = connectionGrace
    machine.drainRoundTripMax = drainRoundTripMax
    machine.outputByteCountMax = pendingOutputByteCountMax
    machine.ageMax = connectionAgeMax.map { $0 + $0 * Double.random(in: 0...0.1) }
    return machine
  }

  func admissionLimits() -> ConnectionAdmission.Limits {
    ConnectionAdmission.Limits(
      countMax: connectionCountMax,
      perAddressMax: connectionsPerAddressMax ?? max(1, connectionCountMax / 4))
  }

  /// The server's HELLO.
  func hello() -> Hello {
    var hello = Hello()
    hello.minorVersion = WireLimit.minorVersion
    hello.encodings = Encodings(MessageEncoding.allCases)
    hello.agent = agent
    hello.limits = limits
    // The rest is granted when a caller is known (W9.8).
    hello.limits.connectionCredit = min(limits.connectionCredit, WireLimit.strangerCredit)
    hello.pingIntervalMilliseconds = UInt32(clamping: Int(pingInterval / .milliseconds(1)))
    hello.serverID = serverID
    return hello
  }
}
