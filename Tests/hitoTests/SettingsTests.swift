import JSON
import Testing
import Transport

@testable import hito

/// Settings of a machine that exists only in a test.
private func settings(
  _ groups: [any SettingGroup.Type] = SettingGroups.all, flags: [String: [String]] = [:],
  environment: [String: String] = [:], files: [String: String] = [:],
  openFiles: Set<String> = []
) -> Settings {
  Settings(
    groups.flatMap { $0.declarations }, flags: flags,
    surroundings: surroundings(environment, files, openFiles))
}

private func surroundings(
  _ environment: [String: String] = [:], _ files: [String: String] = [:],
  _ openFiles: Set<String> = []
) -> SettingSurroundings {
  SettingSurroundings(
    environment: environment, isRoot: true, processorCount: 3, contents: { files[$0] },
    isOpenToOthers: { openFiles.contains($0) })
}

/// What is wrong with settings.
private func problems(_ settings: Settings) -> [String] {
  do {
    try settings.check()
    return []
  } catch {
    return error.problems
  }
}

private let server = ServerSettings()
private let file = "/var/lib/hito/hito.toml"

@Suite("Settings")
struct SettingsTests {
  @Test("without anything given are the defaults, or follow from the machine")
  func defaults() {
    let found = settings()
    #expect(problems(found).isEmpty && found.warnings.isEmpty)
    #expect(found[server.listen].description == "127.0.0.1:7443")
    #expect(found[server.grace] == .seconds(10) && found[server.threads] == 3)
    #expect(found[ModelSettings().modelURL] == nil)
    #expect(found.dataDirectory == "/var/lib/hito")
    #expect(found[LakeSettings().lakeDir] == "/var/lib/hito/lake")
    #expect(found.source(of: server.listen.declaration) == .standard)
  }

  @Test("of connections become the limits of the server; zero is no limit")
  func connections() {
    let standard = ServerConfiguration(settings())
    #expect(standard.connectionCountMax == 10_000 && standard.connectionsPerAddressMax == nil)
    #expect(standard.idle.anonymous == .seconds(30))
    #expect(standard.idle.authenticated == .seconds(1800))
    #expect(standard.connectionAgeMax == nil)
    let chosen = ServerConfiguration(
      settings(flags: [
        "listen": ["0.0.0.0:1"], "connections": ["500"], "connections-per-address": ["50"],
        "connection-idle": ["0"], "connection-idle-anonymous": ["0"], "connection-age": ["3600"],
        "connection-grace": ["5"], "keepalive-idle": ["7"], "keepalive-timeout": ["8"],
      ]))
    #expect(chosen.host == "0.0.0.0" && chosen.port == 1 && chosen.threadCount == 3)
    #expect(chosen.connectionCountMax == 500 && chosen.connectionsPerAddressMax == 50)
    #expect(chosen.idle.anonymous == nil && chosen.idle.authenticated == nil)
    #expect(chosen.connectionAgeMax == .seconds(3600) && chosen.connectionGrace == .seconds(5))
    #expect(chosen.keepaliveIdle == .seconds(7) && chosen.keepaliveTimeout == .seconds(8))
    #expect(problems(settings(flags: ["connections": ["63"]])).count == 1)
  }

  @Test("come from the flag, then the environment, then the file, then the default")
  func precedence() {
    let text = """
      threads = 5
      log-level = "debug"
      grace = 2.5
      database-connections = 7
      """
    let found = settings(
      flags: ["threads": ["9"]],
      environment: [
        "HITO_THREADS": "8", "HITO_LOG_LEVEL": "error", "HITO_GRACE": "",
      ], files: [file: text])
    #expect(problems(found).isEmpty)
    #expect(found[server.threads] == 9)
    #expect(found.source(of: server.threads.declaration) == .flag("--threads"))
    #expect(found[server.logLevel] == .error)
    #expect(found.source(of: server.logLevel.declaration) == .environment("HITO_LOG_LEVEL"))
    #expect(found[server.grace] == .milliseconds(2500))
    #expect(found.source(of: server.grace.declaration) == .file(file))
    #expect(found[server.databaseConnections] == 7)
    #expect(found[server.logFormat] == .text)
  }

  @Test("of which several may be given come as a list from everywhere")
  func lists() {
    for found in [
      settings(flags: ["host-name": ["a", "b"]]),
      settings(environment: ["HITO_HOST_NAME": "a, b"]),
      settings(files: [file: "host-name = [\"a\", \"b\"]"]),
    ] {
      #expect(found[server.hostName] == ["a", "b"] && problems(found).isEmpty)
    }
  }

  @Test("that are an empty flag are not given, whatever the environment says")
  func emptyFlag() {
    let found = settings(
      flags: ["database-url": [""], "token": [""]],
      environment: ["HITO_DATABASE_URL": "postgresql://x", "HITO_TOKEN": "t"])
    #expect(problems(found).isEmpty)
    #expect(found[DatabaseSettings().databaseURL] == nil && found[ClientSettings().token] == nil)
    #expect(found.shown(DatabaseSettings().databaseURL.declaration) == "the embedded PostgreSQL")
  }

  @Test("that are only half given are said, with what is missing")
  func halfGiven() {
    let cases: [([String: String], String)] = [
      (["HITO_MODEL": "m"], "model (environment HITO_MODEL) does nothing without model-url"),
      (["HITO_MODEL_URL": "u"], "without model: give --model or HITO_MODEL"),
      (["HITO_MODEL_KEY": "k"], "model-key (environment HITO_MODEL_KEY) does nothing without"),
      (["HITO_TLS_CERT": "c"], "give --tls-key or HITO_TLS_KEY"),
      (
        ["HITO_EMBEDDING_URL": "u"],
        "without embedding-model and embedding-dimensions: give them as well"
      ),
    ]
    for (environment, text) in cases {
      let said = problems(settings(environment: environment))
      #expect(said.count == 1 && said[0].contains(text), "\(said)")
    }
    let whole = [
      "HITO_EMBEDDING_URL": "u", "HITO_EMBEDDING_MODEL": "m", "HITO_EMBEDDING_DIMENSIONS": "3",
    ]
    #expect(problems(settings(environment: whole)).isEmpty)
  }

  @Test(
    "with values that cannot be are refused, with where they come from",
    arguments: [
      ("listen", "nowhere"), ("listen", "host:70000"), ("threads", "0"), ("threads", "four"),
      ("grace", "-1"), ("grace", "nan"), ("log-level", "loud"), ("database-connections", "41"),
      ("address", "a:1,,b:2"), ("model-prompt-price", "1001"), ("embedding-dimensions", "2001"),
      ("embedding-send-dimensions", "perhaps"),
    ])
  func badValues(name: String, text: String) throws {
    let variable = try #require(SettingGroups.declarations.first { $0.name == name }).variable
    for (found, named) in [
      (settings(flags: [name: [text]]), "--\(name)"),
      (settings(environment: [variable: text]), "\(name) (environment \(variable))"),
    ] {
      let said = problems(found).filter { $0.hasPrefix("\(named) must be ") }
      #expect(said.count == 1 && said[0].hasSuffix(", and not \(text)"), "\(problems(found))")
    }
  }

  @Test("do not take another data directory for one that is empty")
  func emptyDataDirectory() {
    #expect(
      problems(settings(flags: ["data-dir": [""]])) == [
        "--data-dir is empty: it must be the path of a folder"
      ])
    #expect(problems(settings(flags: ["ca": [""]])).isEmpty)
  }

  @Test("say everything that is wrong at once")
  func allProblems() {
    let found = settings(
      environment: ["HITO_THREADS": "0", "HITO_MODEL": "m"], files: [file: "graze = 1"])
    #expect(problems(found).count == 3)
  }

  @Test("that are secrets are in no text, and in no file that others can read")
  func secrets() {
    let text = "model-url = \"u\"\nmodel = \"m\"\nmodel-key = \"clave\""
    let found = settings(
      environment: [
        "HITO_TOKEN": "hito_secreto", "HITO_DATABASE_URL": "postgresql://u:clave@h/d",
        "HITO_EMBEDDING_KEY": "clave mala",
      ], files: [file: text])
    let shown =
      SettingsTable.text(found) + SettingsTable.json(found).shown(.pretty)
      + problems(found).joined()
    #expect(!shown.contains("clave") && !shown.contains("hito_secreto"))
    #expect(found.shown(ModelSettings().modelKey.declaration) == "(set)")
    #expect(problems(found).contains { $0.contains("embedding-key") })
    let open = problems(settings(files: [file: text], openFiles: [file]))
    #expect(open.count == 1 && open[0].contains("chmod 600 \(file)"))
    #expect(problems(settings(files: [file: "threads = 1"], openFiles: [file])).isEmpty)
    let flags = SettingGroups.declarations.filter { $0.isSecret && $0.hasFlag }.map(\.name)
    #expect(flags == ["database-url", "token"])
  }

  @Test("that do not exist are said, with the nearest that does")
  func unknown() {
    let found = settings(
      environment: ["HITO_LISTN": "x", "HITO_BIN": "x", "HITO_TEST_LLM": "x", "OTHER": "x"],
      files: [file: "thread = 1\n\n[model]\nurl = \"x\""])
    #expect(
      found.warnings == [
        "the environment's HITO_LISTN means nothing here; did you mean HITO_LISTEN?"
      ]
    )
    let said = problems(found)
    #expect(said.count == 2)
    #expect(said[0] == "\(file), line 1: there is no setting thread; did you mean threads?")
    #expect(said[1].hasPrefix("\(file), line 4: there is no setting model.url"))
  }

  @Test("are each on one line of what `hito config` shows")
  func table() {
    let lines = SettingsTable.text(settings()).split(separator: "\n").dropFirst()
    #expect(
      lines.map { String($0.prefix { $0 != " " }) } == SettingGroups.declarations.map(\.name))
    #expect(Set(SettingGroups.declarations.map(\.name)).count == lines.count)
    for declaration in SettingGroups.declarations {
      #expect(SettingsTable.markdown.contains("`\(declaration.variable)`"))
      for name in declaration.needs {
        #expect(SettingGroups.declarations.contains { $0.name == name })
      }
    }
  }
}

@Suite("The file of settings")
struct SettingsFileTests {
  @Test("is the one that is named, or the data directory's own")
  func choice() {
    let files = [
      "/data/hito.toml": "threads = 5", "/etc/my.toml": "threads = 6\ndata-dir = \"/elsewhere\"",
      "/elsewhere/hito.toml": "threads = 7",
    ]
    var found = settings(environment: ["HITO_DATA_DIR": "/data"], files: files)
    #expect(found[server.threads] == 5 && found.dataDirectory == "/data")
    found = settings(flags: ["config": ["/etc/my.toml"]], files: files)
    #expect(found[server.threads] == 6 && found.dataDirectory == "/elsewhere")
    #expect(found[LakeSettings().lakeDir] == "/elsewhere/lake" && problems(found).isEmpty)
    found = settings(environment: ["HITO_CONFIG": "/no.toml"], files: files)
    #expect(problems(found) == ["/no.toml (environment HITO_CONFIG) cannot be read"])
  }

  @Test("cannot name the data directory that it was found in, nor another file")
  func circles() {
    let said = problems(settings(files: [file: "data-dir = \"/x\"\nconfig = \"/y\""]))
    #expect(
      said.count == 2 && said[0].contains("own file") && said[1].contains("no setting config"))
  }

  @Test("holds values of the kinds that settings have")
  func kinds() throws {
    let read = try SettingsFile(
      path: "f", text: "a = 'x' # y\nb = 12\nc = 0.25\nd = true\ne = [1, 2]\n[t]\nf = \"ñ\"")
    #expect(read.entries["a"]?.texts == ["x"] && read.entries["b"]?.texts == ["12"])
    #expect(read.entries["c"]?.texts == ["0.25"] && read.entries["d"]?.texts == ["true"])
    #expect(read.entries["e"]?.texts == ["1", "2"])
    #expect(read.entries["t.f"] == SettingsFile.Entry(texts: ["ñ"], line: 7, isUnusable: false))
    #expect(try SettingsFile(path: "f", text: "").entries.isEmpty)
  }

  @Test(
    "that is wrong is refused with the line",
    arguments: [
      ("threads = 1\nthreads = 2", "line 2"), ("a = ", "line 1"), ("[a\nb = 1", "line 1"),
      ("a = " + String(repeating: "[", count: 100), "line 1"), ("a = \"\u{0}\"", "line 1"),
    ])
  func syntax(text: String, line: String) {
    let error = #expect(throws: SettingsError.self) { try SettingsFile(path: "f", text: text) }
    #expect(error?.description.hasPrefix("f, \(line): ") == true, "\(String(describing: error))")
  }

  @Test("is refused when it is too long, and when a value is of the wrong kind")
  func bounds() {
    #expect(throws: SettingsError.self) {
      try SettingsFile(path: "f", text: String(repeating: "# \n", count: 30_000))
    }
    for text in ["threads = 2020-01-01", "threads = [1, 2]", "threads = [[1]]"] {
      let said = problems(settings(files: [file: text]))
      #expect(said.count == 1 && said[0].contains("threads must be"), "\(said)")
    }
  }
}

@Suite("How a command reaches a server")
struct ServerAccessTests {
  private static let groups: [any SettingGroup.Type] = [PlaceSettings.self, ClientSettings.self]

  private func access(
    flags: [String: [String]] = [:], environment: [String: String] = [:],
    files: [String: String] = [:]
  ) throws -> ServerAccess {
    let found = settings(Self.groups, flags: flags, environment: environment, files: files)
    try found.check()
    return try ServerAccess(found, surroundings: surroundings(environment, files))
  }

  @Test("is by the files that a server on this machine leaves, where nothing else is said")
  func localServer() throws {
    let bare = try access()
    #expect(bare.name == "127.0.0.1:7443" && bare.authorityFile == nil && bare.token == nil)
    let ca = "/var/lib/hito/tls/ca.pem"
    let files = [ca: "x", "/var/lib/hito/admin.token": "hito_file\n"]
    let local = try access(files: files)
    #expect(local.authorityFile == ca && local.token == "hito_file")
    #expect(local.tokenSource == .file("/var/lib/hito/admin.token"))
    let other = try access(
      flags: ["ca": ["system"], "address": ["[::1]:5,b:6"]],
      environment: ["HITO_TOKEN": " hito_env "], files: files)
    #expect(other.authorityFile == nil && other.token == "hito_env")
    #expect(other.name == "[::1]:5,b:6")
  }

  @Test("is refused with where a setting comes from, and without the secret")
  func refusals() {
    let bad: [([String: String], String)] = [
      (["HITO_CA": "/no"], "HITO_CA"), (["HITO_TOKEN": "hito_a hito_b"], "HITO_TOKEN"),
      (["HITO_ADDRESS": "host:99999"], "HITO_ADDRESS"),
    ]
    for (environment, text) in bad {
      let error = #expect(throws: SettingsError.self) { try access(environment: environment) }
      #expect(error?.description.contains(text) == true)
      #expect(error?.description.contains("hito_a") == false)
    }
  }
}
