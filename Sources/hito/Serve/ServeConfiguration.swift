import Domain
import HitoClient
import Logging
import PostgresStore
import Service
import Transport

/// Everything that `hito serve` can be told, checked.
struct ServeConfiguration: Sendable {
  /// The database, the lake, certificates and the first token.
  var dataDirectory: String
  /// The number of the group that may read it; nil: none may.
  var readingGroup: UInt32?
  /// Written with `host:port` once the server takes calls.
  var portFile: String?
  /// An external PostgreSQL; nil means the embedded one.
  var databaseURL: String?
  var databaseConnectionCount: Int
  /// Signs the seals of the log; nil: they are not signed.
  var auditKey: [UInt8]?
  var lakeDirectory: String
  var certificateFile: String?
  var keyFile: String?
  var clientAuthorityFile: String?
  /// Names of this host in the development certificate, beside localhost.
  var hostNames: [String]
  /// How it listens, and the limits of connections.
  var network: ServerConfiguration
  /// Scans at a time; what else is expensive follows from it.
  var heavyCallMax: Int
  var quotaDefaults: QuotaDefaults
  /// How long what has ended is kept; what is not named is kept for ever.
  var lifetimes: [PostgresRetention.Kind: Duration]
  /// How long events stay in the database before they are in the lake alone; nil: for ever.
  var eventLifetime: Duration?
  /// Nil: events stay in the log.
  var broker: BrokerConfiguration?
  /// What of the work for all servers is done here.
  var relaysHere: Bool
  var hasLake: Bool
  var embedsHere: Bool
  /// How validations run here.
  var validations: ValidationOptions
  /// How long calls may continue after SIGTERM.
  var grace: Duration
  /// How long a call waits for a client that takes nothing of its output.
  var streamStallMax: Duration
  /// Where Prometheus reads metrics; nil: nowhere.
  var metricsAddress: HitoAddress?
  /// Nil: nothing is sent.
  var collector: CollectorConfiguration?
  /// What users' time zones are looked up in.
  var timeZones: TimeZoneNames
}

extension ServeConfiguration {
  /// Where the server listens, as people write it.
  func address(port: Int) -> String { "\(HitoAddress(host: network.host, port: port))" }

  /// - Parameter settings: checked ones, with all groups but the client's.
  init(_ settings: Settings) throws {
    let server = ServerSettings()
    let quotas = QuotaSettings()
    let work = WorkSettings()
    let directory = try settings.requireDataDirectory()
    self.init(
      dataDirectory: directory, readingGroup: settings.readingGroupID,
      portFile: settings[server.portFile],
      databaseURL: settings[DatabaseSettings().databaseURL],
      databaseConnectionCount: settings[server.databaseConnections],
      auditKey: settings[DatabaseSettings().auditKey].map { Array($0.utf8) },
      lakeDirectory: settings[LakeSettings().lakeDir] ?? "\(directory)/lake",
      certificateFile: settings[server.tlsCert], keyFile: settings[server.tlsKey],
      clientAuthorityFile: settings[server.tlsClientCA], hostNames: settings[server.hostName],
      network: ServerConfiguration(settings),
      heavyCallMax: settings[server.heavyCalls]
        ?? AdmissionLimits.heavyCallMax(
          processorCount: settings[server.threads] ?? 1,
          databaseConnectionCount: settings[server.databaseConnections]),
      quotaDefaults: QuotaDefaults(
        callsPerSecond: settings[quotas.callsPerSecond],
        streamMax: Int32(settings[quotas.streamsPerUser]),
        bytesPerDay: Int64(settings[quotas.mebibytesPerDay]) << 20,
        modelTokensPerDay: settings[ModelSettings().modelTokensPerDay].map { Int64($0) }),
      lifetimes: RetentionSettings.lifetimes(settings),
      eventLifetime: RetentionSettings.eventLifetime(settings),
      broker: BrokerConfiguration(settings), relaysHere: settings[work.relayHere],
      hasLake: settings[work.lakeHere], embedsHere: settings[work.embedHere],
      validations: ValidationSettings.options(settings), grace: settings[server.grace],
      streamStallMax: settings[server.streamStall],
      metricsAddress: settings[TelemetrySettings().metricsListen],
      collector: CollectorConfiguration(settings), timeZones: settings.timeZones.names)
  }
}

extension ServerConfiguration {
  /// - Parameter settings: checked ones, with the groups of the server and its connections.
  init(_ settings: Settings) {
    let server = ServerSettings()
    let network = NetworkSettings()
    let listen = settings[server.listen]
    self.init(
      host: listen.host, port: listen.port, threadCount: settings[server.threads] ?? 1,
      connectionCountMax: settings[network.connections])
    agent = "hito/\(HitoVersion.current)"
    connectionsPerAddressMax = settings[network.connectionsPerAddress]
    idle.authenticated = Self.unlessZero(settings[network.connectionIdle])
    idle.anonymous = Self.unlessZero(settings[network.connectionIdleAnonymous])
    connectionAgeMax = Self.unlessZero(settings[network.connectionAge])
    connectionGrace = settings[network.connectionGrace]
    keepaliveIdle = settings[network.keepaliveIdle]
    keepaliveTimeout = settings[network.keepaliveTimeout]
    slowCallMin = Self.unlessZero(settings[TelemetrySettings().slowCall])
  }

  private static func unlessZero(_ time: Duration) -> Duration? { time > .zero ? time : nil }
}

extension LogFormat {
  /// Makes it the format of this process.
  func install(level: Logger.Level) {
    let format = self
    LoggingSystem.bootstrap { label in
      var handler: any LogHandler =
        switch format {
        case .text: StreamLogHandler.standardError(label: label)
        case .json: JSONLogHandler(label: label)
        }
      handler.logLevel = level
      return handler
    }
  }
}
