import Broker
import HitoClient
import Models
import PostgresStore
import Service

// Every setting of the program. A new one is a property here and the place that uses its value
// (docs/adding-a-setting.md).

/// The groups, in the order in which people see them.
enum SettingGroups {
  static let all: [any SettingGroup.Type] = [
    PlaceSettings.self, ServerSettings.self, NetworkSettings.self, QuotaSettings.self,
    RetentionSettings.self, ValidationSettings.self, WorkSettings.self, DatabaseSettings.self,
    LakeSettings.self, BrokerSettings.self, TelemetrySettings.self,
    ModelSettings.self, EmbeddingSettings.self, ClientSettings.self,
  ]

  static let declarations = all.flatMap { $0.declarations }
}

struct PlaceSettings: SettingGroup {
  static let title = "Places"

  let config = Setting<String?>(
    "config", .file, shown: "hito.toml in the data directory, where there is one",
    help: "TOML file of settings.", isInFile: false)

  let dataDir = Setting<String?>(
    "data-dir", .folder, shown: "/var/lib/hito as root, else ~/.local/share/hito",
    help: "Where the server keeps everything."
  ) { surroundings in
    DataDirectory.standard(
      dataHome: surroundings.variable("XDG_DATA_HOME"), home: surroundings.variable("HOME"),
      isRoot: surroundings.isRoot
    ).map { SettingGiven(texts: [$0], source: .standard) }
  }

  let readingGroup = Setting<String?>(
    "reading-group", .group, shown: "only the server's user reads them",
    help: "Group whose members may read the lake and pass through the data directory.")
}

struct ServerSettings: SettingGroup {
  static let title = "Server"

  let listen = Setting<HitoAddress>(
    "listen", .listenAddress,
    default: HitoAddress(host: "127.0.0.1", port: HitoAddress.portDefault),
    help: "Address to listen on; port 0 lets the system choose.")

  let portFile = Setting<String?>(
    "port-file", .file, help: "Write host:port to this file once the server takes calls.")

  let tlsCert = Setting<String?>(
    "tls-cert", .file, shown: "a development certificate is made",
    help: "PEM file of the server's certificate chain.", needs: ["tls-key"])

  let tlsKey = Setting<String?>(
    "tls-key", .file, help: "PEM file of the certificate's key.", needs: ["tls-cert"])

  let tlsClientCA = Setting<String?>(
    "tls-client-ca", .file,
    help: "PEM file of the authority of client certificates; asks clients for one.")

  let hostName = Setting<[String]>(
    "host-name", .names, default: [], shown: "none",
    help: "Another name or address of this host in the development certificate; repeatable.")

  let threads = Setting<Int?>(
    "threads", .integer(1...256), shown: "one per core", help: "Event loop threads."
  ) { surroundings in
    SettingGiven(texts: ["\(max(1, surroundings.processorCount))"], source: .standard)
  }

  let grace = Setting<Duration>(
    "grace", .seconds(0...3600), default: .seconds(10),
    help: "How long calls may continue after SIGTERM.")

  let streamStall = Setting<Duration>(
    "stream-stall", .seconds(1...3600), default: .seconds(60),
    help: "How long a call waits for a client that takes nothing of its output.")

  let databaseConnections = Setting<Int>(
    "database-connections", .integer(1...40), default: 32,
    help: "Connections to the database for short statements.")

  let heavyCalls = Setting<Int?>(
    "heavy-calls", .integer(1...256),
    shown: "two per thread, at most a quarter of the database's connections",
    help: "Reads of pages and reports at a time; half as many searches.")

  let logLevel = Setting<LogLevel>(
    "log-level", .choice, default: .info, help: "The least serious level that is logged.")

  let logFormat = Setting<LogFormat>(
    "log-format", .choice, default: .text, help: "How log lines look.")
}

struct NetworkSettings: SettingGroup {
  static let title = "Connections"

  private static let day = 86_400.0

  let connections = Setting<Int>(
    "connections", .integer(DescriptorBudget.connectionCountMin...1_000_000), default: 10_000,
    help: "Connections at most; fewer where the system gives the process fewer descriptors.")

  let connectionsPerAddress = Setting<Int?>(
    "connections-per-address", .integer(1...1_000_000), shown: "a quarter of the connections",
    help: "Connections of an IPv4 address or an IPv6 /64. More for a proxy that all come through.")

  let connectionIdle = Setting<Duration>(
    "connection-idle", .seconds(0...7 * day), default: .seconds(1800),
    help: "How long a connection may be without a call; 0: for ever.")

  let connectionIdleAnonymous = Setting<Duration>(
    "connection-idle-anonymous", .seconds(0...7 * day), default: .seconds(30),
    help: "The same for a peer of which no token or certificate was accepted yet; 0: for ever.")

  let connectionAge = Setting<Duration>(
    "connection-age", .seconds(0...30 * day), default: .zero,
    help: "Age, plus up to a tenth, at which clients are sent to a new connection; 0: none.")

  let connectionGrace = Setting<Duration>(
    "connection-grace", .seconds(0...3600), default: .seconds(20),
    help: "How long calls may continue on a connection that is idle or too old.")

  let keepaliveIdle = Setting<Duration>(
    "keepalive-idle", .seconds(1...day), default: .seconds(60),
    help: "Silence after which a client is asked for a sign of life.")

  let keepaliveTimeout = Setting<Duration>(
    "keepalive-timeout", .seconds(1...3600), default: .seconds(20),
    help: "How long the server waits for it.")
}

/// Of learners and instructors; `SetQuota` gives single users others.
struct QuotaSettings: SettingGroup {
  static let title = "Quotas"

  let callsPerSecond = Setting<Double>(
    "calls-per-second", .number(0.01...1_000_000), default: 1000,
    help: "Calls that a learner or an instructor may begin, twice as many at once after a rest.")

  let streamsPerUser = Setting<Int>(
    "streams-per-user", .integer(1...1_000_000), default: 100,
    help: "Streams that a learner or an instructor may have open at a time.")

  let mebibytesPerDay = Setting<Int>(
    "mebibytes-per-day", .integer(1...1_000_000_000), default: 1024,
    help: "What the writes of a learner or an instructor may store in a day of UTC.")
}

/// What the log says is kept for ever: in the database, or after some time in the lake alone.
struct RetentionSettings: SettingGroup {
  static let title = "Retention"

  /// Requests are remembered for a day, and their runs with them.
  private static let days = 0...36_500

  let tokenDays = Setting<Int>(
    "token-days", .integer(days), default: 90,
    help: "Days for which a token is listed after it expired or was revoked; 0: for ever.")

  let runDays = Setting<Int>(
    "run-days", .integer(days), default: 365,
    help:
      "Days for which a run of an agent or a validation can be looked at after it ended; 0: for ever."
  )

  let usageDays = Setting<Int>(
    "usage-days", .integer(days), default: 400,
    help: "Days for which it is kept who used how much of a model in which hour; 0: for ever.")

  let auditDays = Setting<Int>(
    "audit-days", .integer(days), default: 400,
    help:
      "Days for which entries of the audit are kept, once they are sealed; 0: for ever. That some went is an "
      + "entry.")

  let eventDays = Setting<Int>(
    "event-days", .integer(days), default: 0,
    help: "Days after which events leave the database and are in the lake alone; 0: never.")

  /// How long events stay in the database; nil: for ever.
  static func eventLifetime(_ settings: Settings) -> Duration? {
    let days = settings[RetentionSettings().eventDays]
    return days > 0 ? .seconds(Int64(days) * 86_400) : nil
  }

  static func lifetimes(_ settings: Settings) -> [PostgresRetention.Kind: Duration] {
    let group = RetentionSettings()
    let days: [PostgresRetention.Kind: Int] = [
      .tokens: settings[group.tokenDays], .runs: settings[group.runDays],
      .validations: settings[group.runDays],
      .usage: settings[group.usageDays], .audit: settings[group.auditDays],
    ]
    // Of what ended today, a part is still needed: a day's budget is what its hours say.
    return days.filter { $0.value > 0 }.mapValues { .seconds((Int64($0) + 1) * 86_400) }
  }
}

struct ValidationSettings: SettingGroup {
  static let title = "Validation"

  let validateHere = Setting<Bool>(
    "validate-here", .yesOrNo, default: true,
    help: "Whether learners' code runs beside this server; otherwise `hito work` takes it.")

  let validationSlots = Setting<Int?>(
    "validation-slots", .integer(1...256), shown: "one per core",
    help: "Validations that run at a time."
  ) { surroundings in
    SettingGiven(texts: ["\(max(1, surroundings.processorCount))"], source: .standard)
  }

  /// - Parameter settings: checked ones, with this group.
  static func options(_ settings: Settings) -> ValidationOptions {
    let group = ValidationSettings()
    var options = ValidationOptions()
    options.runsHere = settings[group.validateHere]
    options.slotCount = settings[group.validationSlots] ?? 1
    return options
  }
}

struct DatabaseSettings: SettingGroup {
  static let title = "Database"

  let databaseURL = Setting<String?>(
    "database-url", .url, shown: "the embedded PostgreSQL",
    help:
      "An external PostgreSQL (15 or later, pgvector 0.8 or later) instead of the embedded one.",
    isSecret: true, hasFlag: true)

  let auditKey = Setting<String?>(
    "audit-key", .word("key", byteCountMax: 256), shown: "seals are not signed",
    help:
      "Signs the seals of the log, so that who can write to the database alone cannot make them anew.",
    isSecret: true)

  let walArchive = Setting<String?>(
    "wal-archive", .folder, shown: "no archive",
    help:
      "Folder, of the database's user, that the embedded PostgreSQL's log is archived in, at most a "
      + "minute late: with it a backup is restored up to any moment.")

  let postgres = Setting<String?>(
    "postgres", .folder, shown: "~/.local/lib/hito/postgres, /usr/local/lib/hito/postgres",
    help: "Folder with the bin folder of the PostgreSQL to embed.")
}

struct LakeSettings: SettingGroup {
  static let title = "Lake"

  let lakeDir = Setting<String?>(
    "lake-dir", .folder, shown: "lake in the data directory",
    help: "Where the lake's Parquet files are kept."
  ) { surroundings in
    surroundings.dataDirectory.map { SettingGiven(texts: ["\($0)/lake"], source: .standard) }
  }
}

struct BrokerSettings: SettingGroup {
  static let title = "Message broker"

  let brokerURL = Setting<BrokerAddress?>(
    "broker-url", .brokerURL, shown: "none: events stay in the log",
    help: "A RabbitMQ that the log is published to.", isSecret: true)

  let brokerCA = Setting<String?>(
    "broker-ca", .file, shown: "the system's",
    help: "PEM file of the authority to trust, for amqps.", needs: ["broker-url"])

  let brokerExchange = Setting<BrokerTopology>(
    "broker-exchange", .brokerExchange, default: .standard,
    help: "Topic exchange to publish to; the names of Hito's own queues begin as it does.",
    needs: ["broker-url"])

  let brokerPrefetch = Setting<Int>(
    "broker-prefetch", .integer(1...10_000), default: 1000,
    help: "Messages that each consumer of Hito's own may have unacknowledged.",
    needs: ["broker-url"])

  let brokerMessageBytes = Setting<Int>(
    "broker-message-bytes", .integer(4096...(128 << 20)), default: 16 << 20,
    help: "Largest message that the broker takes; larger events go without their payload.",
    needs: ["broker-url"])
}

/// Which of the work for all servers is done here, beside the calls.
struct WorkSettings: SettingGroup {
  static let title = "Work"

  let relayHere = Setting<Bool>(
    "relay-here", .yesOrNo, default: true,
    help: "Whether this server may order and publish events; otherwise others or `hito work` do.")

  let lakeHere = Setting<Bool>(
    "lake-here", .yesOrNo, default: true,
    help: "Whether this server keeps a lake; otherwise reports are computed from the log alone.")

  let embedHere = Setting<Bool>(
    "embed-here", .yesOrNo, default: true,
    help: "Whether this server makes vectors; otherwise others or `hito work` do.")
}

struct ModelSettings: SettingGroup {
  static let title = "Language model"

  private static let million = 1_000_000.0

  let modelURL = Setting<String?>(
    "model-url", .url, help: "A language model at URL/chat/completions.", needs: ["model"])

  let model = Setting<String?>(
    "model", .name, help: "Name of the language model.", needs: ["model-url"])

  let modelKey = Setting<ProviderKey?>(
    "model-key", .providerKey, help: "Its key, where it wants one.", needs: ["model-url"],
    isSecret: true)

  let modelPlaintext = Setting<Bool>(
    "model-plaintext", .yesOrNo, default: false,
    help:
      "Allow http:// to another host of the own network: prompts and key can be read on the way.",
    needs: ["model-url"])

  let modelCallsPerMinute = Setting<Int?>(
    "model-calls-per-minute", .integer(1...1_000_000), shown: "20",
    help: "Calls that each caller may begin.", needs: ["model-url"])

  let modelTokensPerDay = Setting<Int?>(
    "model-tokens-per-day", .integer(1...1_000_000_000_000), shown: "no limit",
    help: "Tokens that each caller may use in a day of UTC.", needs: ["model-url"])

  let modelCostPerDay = Setting<Double?>(
    "model-cost-per-day", .number(0.000001...million), shown: "no limit",
    help: "What each caller may spend in a day of UTC.", needs: ["model-url"])

  let modelPromptPrice = Setting<Double>(
    "model-prompt-price", .number(0...1000), default: 0,
    help: "Cost of a million tokens that are sent.", needs: ["model-url"])

  let modelReplyPrice = Setting<Double>(
    "model-reply-price", .number(0...1000), default: 0,
    help: "Cost of a million tokens that are answered.", needs: ["model-url"])
}

struct EmbeddingSettings: SettingGroup {
  static let title = "Embedding model"

  let embedder = Setting<String?>(
    "embedder", .folder,
    shown: "~/.local/lib/hito/use-multilingual-3, /usr/local/lib/hito/use-multilingual-3",
    help: "Folder of the embedded sentence encoder.")

  let embeddingURL = Setting<String?>(
    "embedding-url", .url, shown: "the embedded encoder",
    help: "An embedding model at URL/embeddings instead of the embedded one.",
    needs: ["embedding-model", "embedding-dimensions"])

  let embeddingModel = Setting<String?>(
    "embedding-model", .name, help: "Name of the embedding model.", needs: ["embedding-url"])

  let embeddingDimensions = Setting<Int?>(
    "embedding-dimensions", .integer(1...2000), help: "Dimensions of its vectors.",
    needs: ["embedding-url"])

  let embeddingKey = Setting<ProviderKey?>(
    "embedding-key", .providerKey, help: "Its key, where it wants one.",
    needs: ["embedding-url"], isSecret: true)

  let embeddingPlaintext = Setting<Bool>(
    "embedding-plaintext", .yesOrNo, default: false,
    help: "Allow http:// to another host of the own network: texts and key can be read on the way.",
    needs: ["embedding-url"])

  let embeddingTokens = Setting<Int?>(
    "embedding-tokens", .integer(16...1_000_000), shown: "8191, or what the provider says",
    help: "Tokens of a text that the provider's model reads; longer texts are cut.",
    needs: ["embedding-url"])

  let embeddingSendDimensions = Setting<Bool>(
    "embedding-send-dimensions", .yesOrNo, default: false,
    help: "Ask the provider for vectors of that many dimensions.", needs: ["embedding-url"])

  /// The default: below it two texts have little to do with each other, in the embedded model's
  /// vectors (docs/evaluation.md: what it silences, right and wrong); a guess for other models.
  let embeddingMinSimilarity = Setting<Double>(
    "embedding-min-similarity", .number(-1...1), default: 0.2,
    help: "How similar what is close is, with either model; what it takes to answer is a multiple.")
}

struct ClientSettings: SettingGroup {
  static let title = "Client"

  let address = Setting<[HitoAddress]>(
    "address", .addresses,
    default: [HitoAddress(host: "127.0.0.1", port: HitoAddress.portDefault)],
    help: "Server; of several, with commas between, the first that answers.")

  let ca = Setting<String?>(
    "ca", .file, shown: "tls/ca.pem of the data directory where it can be read, else the system's",
    help: "PEM file of the authority to trust, or `system`."
  ) { surroundings in
    surroundings.file("tls/ca.pem").map { path, _ in
      SettingGiven(texts: [path], source: .file(path))
    }
  }

  let token = Setting<String?>(
    "token", .word("token", byteCountMax: 256),
    shown: "admin.token of the data directory where it can be read",
    help: "Bearer token. Other users of this machine see flags, but not the environment.",
    isSecret: true, hasFlag: true
  ) { surroundings in
    surroundings.file("admin.token").flatMap { path, text in
      // An empty file is one that says nothing.
      text.allSatisfy(\.isWhitespace) ? nil : SettingGiven(texts: [text], source: .file(path))
    }
  }
}

extension SettingSurroundings {
  /// A file of the data directory that can be read: its path and its text.
  fileprivate func file(_ name: String) -> (path: String, text: String)? {
    guard let path = dataDirectory.map({ "\($0)/\(name)" }), let text = contents(path) else {
      return nil
    }
    return (path, text)
  }
}

extension SettingKind where Value == String {
  /// A group of this system.
  static var group: SettingKind {
    SettingKind(
      "group", "the name or the number of a group of this system", text: { $0 },
      parse: { DataDirectory.groupNumber(named: $0) == nil ? nil : $0 })
  }
}

extension SettingKind where Value == BrokerAddress {
  /// With a login in it, so that no value is shown.
  static var brokerURL: SettingKind {
    SettingKind("url", "amqp://user:password@host:port/vhost, or amqps with TLS") { _ in
      "(set)"
    } parse: {
      BrokerAddress($0)
    }
  }
}

extension SettingKind where Value == BrokerTopology {
  static var brokerExchange: SettingKind {
    SettingKind(
      "name", "at most 100 letters, digits, '.', '-' and '_', not beginning with amq"
    ) {
      $0.exchange
    } parse: {
      BrokerTopology(exchange: $0)
    }
  }
}

extension SettingKind where Value == ProviderKey {
  /// A secret that goes into a header.
  static var providerKey: SettingKind {
    SettingKind("key", "a key: visible ASCII only") { _ in
      "(set)"
    } parse: {
      ProviderKey($0)
    }
  }
}
