import CLibPQ
import Glibc

/// Why no connection could be made.
package enum ConnectFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// The server could not be reached, or does not let us in; it may later.
  case refused(String)
  /// The server is there, but not one that Hito can use; the text says what to do.
  case unusable(String)

  package var description: String {
    switch self {
    case .refused(let text), .unusable(let text): text
    }
  }
}

/// How to connect, and what every session of ours is set to.
package struct ConnectionSettings: Sendable {
  /// The oldest server that Hito runs on.
  static let minimumServerVersion = 150_000
  /// The oldest pgvector: 0.8 brought iterative scans, which filtered searches need.
  static let minimumVectorVersion = (0, 8)

  /// A URL (`postgresql://…`) or a connection string (`host=… dbname=…`). May hold a password.
  package var conninfo: String
  package var applicationName = "hito"
  /// The role that statements run as; nil: the one that logs in.
  package var role: String?
  package var connectTimeout: Duration = .seconds(10)
  package var limits = SessionLimits()
  /// Statements that a new session starts with, for example a LISTEN.
  var sessionStart: String?
  /// Whether the session sees no learner's row until a unit says whose it is, also where its role
  /// owns the tables (`RowSecurity`). Scripts of the owner see everything.
  var isServing = false

  package init(conninfo: String) { self.conninfo = conninfo }

  /// Connects and prepares the session for pipelining. Blocks, for at most about the time that
  /// `connectTimeout` gives to each address.
  func connect() throws(ConnectFailure) -> PQConnection {
    let connection = try openChecked()
    try setUp(connection)
    guard
      PQsetnonblocking(connection.pointer, 1) == 0, PQenterPipelineMode(connection.pointer) == 1
    else { throw .refused("libpq refuses pipeline mode: \(connection.errorText)") }
    return connection
  }

  /// A checked connection that still blocks, for scripts.
  func connectBlocking() throws(ConnectFailure) -> PQConnection {
    let connection = try openChecked()
    try setUp(connection)
    return connection
  }

  private func openChecked() throws(ConnectFailure) -> PQConnection {
    let connection = try open()
    try PoolerCheck.run(connection, other: open)
    return connection
  }

  private func open() throws(ConnectFailure) -> PQConnection {
    let parameters = try connectParameters()
    let names = parameters.map { strdup($0.0) }
    let values = parameters.map { strdup($0.1) }
    defer { for pointer in names + values { free(pointer) } }
    // libpq reads the lists up to a null name.
    let nameList: [UnsafePointer<CChar>?] = names.map { UnsafePointer($0) } + [nil]
    let valueList: [UnsafePointer<CChar>?] = values.map { UnsafePointer($0) } + [nil]
    guard let pointer = PQconnectdbParams(nameList, valueList, 1) else {
      throw .refused("out of memory")
    }
    let connection = PQConnection(taking: pointer)
    hito_pq_silence(pointer)
    guard PQstatus(pointer) == CONNECTION_OK else {
      throw .refused("cannot connect to PostgreSQL: \(connection.errorText)")
    }
    return connection
  }

  /// The connection string first, then what it left open.
  func connectParameters() throws(ConnectFailure) -> [(String, String)] {
    let given = try ConnectionSettings.parse(conninfo)
    var parameters = [
      ("dbname", conninfo),
      ("fallback_application_name", applicationName),
      ("client_encoding", "UTF8"),
    ]
    if given["connect_timeout"] == nil {
      parameters.append(("connect_timeout", String(max(2, connectTimeout.components.seconds))))
    }
    for (name, value) in ConnectionSettings.standardParameters where given[name] == nil {
      parameters.append((name, value))
    }
    if ConnectionSettings.isRemote(given) {
      if given["sslmode"] == nil { parameters.append(("sslmode", "verify-full")) }
      let system = "/etc/ssl/certs/ca-certificates.crt"
      let own = getenv("HOME").map { String(cString: $0) + "/.postgresql/root.crt" } ?? ""
      // Without this libpq 15 looks only in the home directory for whom to trust.
      if given["sslrootcert"] == nil, access(own, R_OK) != 0, access(system, R_OK) == 0 {
        parameters.append(("sslrootcert", system))
      }
    }
    return parameters
  }

  /// A peer that has gone is noticed within about half a minute, and of several servers the one
  /// that takes writes is used: a standby, or a leader that was demoted, is of no use to us.
  private static let standardParameters = [
    ("tcp_user_timeout", "15000"), ("keepalives_idle", "15"), ("keepalives_interval", "5"),
    ("keepalives_count", "3"), ("target_session_attrs", "read-write"),
  ]

  /// Whether a parsed connection string leads over the network.
  static func isRemote(_ given: [String: String]) -> Bool {
    let hosts = [given["host"], given["hostaddr"]].flatMap { ($0 ?? "").split(separator: ",") }
    let local: Set<Substring> = ["localhost", "127.0.0.1", "::1"]
    return hosts.contains { !$0.hasPrefix("/") && !$0.hasPrefix("@") && !local.contains($0) }
  }

  /// What a connection string or the environment sets. The error never repeats the string, which
  /// may hold a password.
  static func parse(_ conninfo: String) throws(ConnectFailure) -> [String: String] {
    var values: [String: String] = [:]
    for (keyword, variable) in [
      ("sslmode", "PGSSLMODE"), ("host", "PGHOST"),
      ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ] {
      if let value = getenv(variable) { values[keyword] = String(cString: value) }
    }
    guard let options = PQconninfoParse(conninfo, nil) else {
      throw .unusable(
        "the database URL is not valid; write it as postgresql://user@host:5432/database")
    }
    defer { PQconninfoFree(options) }
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        values[String(cString: keyword)] = String(cString: value)
      }
      option += 1
    }
    return values
  }

  private func setUp(_ connection: PQConnection) throws(ConnectFailure) {
    let version = Int(PQserverVersion(connection.pointer))
    guard version >= ConnectionSettings.minimumServerVersion else {
      throw .unusable(
        "the server is PostgreSQL \(version / 10_000); Hito needs 15 or later: upgrade it, or "
          + "leave the database URL empty to use the embedded one")
    }
    let settings = sessionSettings(serverVersion: version)
    let calls = settings.map { name, value in
      "set_config('\(name)', '\(value.split(separator: "'").joined(separator: "''"))', false)"
    }
    let rows = try query(
      "SELECT (SELECT extversion FROM pg_extension WHERE extname = 'vector'), "
        + calls.joined(separator: ", "), connection)
    if let installed = rows.first?.first ?? nil { try ConnectionSettings.check(vector: installed) }
    if let sessionStart { _ = try query(sessionStart, connection) }
  }

  /// What every session of ours is set to, whatever the server, the database or the role says.
  func sessionSettings(serverVersion: Int) -> [(name: String, value: String)] {
    var settings = limits.settings(serverVersion: serverVersion)
    settings += [
      // The server's own side of the connection: it would keep the session, and the locks, of a
      // client that has gone for hours. Sockets of one machine pass these over.
      ("tcp_keepalives_idle", "15"),
      ("tcp_keepalives_interval", "5"),
      ("tcp_keepalives_count", "3"),
      ("tcp_user_timeout", "30000"),
      ("TimeZone", "UTC"),
      ("DateStyle", "ISO"),
      ("IntervalStyle", "postgres"),
      ("search_path", "public"),
    ]
    if isServing { settings.append(("hito.scope", "none")) }
    if let role { settings.append(("role", role)) }
    return settings
  }

  static func check(vector version: String) throws(ConnectFailure) {
    let parts = version.split(separator: ".").map { Int($0) ?? 0 }
    let (major, minor) = (parts.first ?? 0, parts.count > 1 ? parts[1] : 0)
    guard (major, minor) >= minimumVectorVersion else {
      throw .unusable(
        "the database has pgvector \(version); Hito needs 0.8 or later: install it on the server, "
          + "then run ALTER EXTENSION vector UPDATE")
    }
  }

  private func query(
    _ sql: String, _ connection: PQConnection
  ) throws(ConnectFailure) -> [[String?]] {
    do throws(ServerError) {
      return try connection.run(sql)
    } catch {
      throw .refused("cannot set up the session: \(error.message)")
    }
  }
}

extension PQConnection {
  /// Runs one or more statements by the simple protocol and returns the last one's rows as text.
  /// Blocks.
  func run(_ sql: String) throws(ServerError) -> [[String?]] {
    guard let result = PQexec(pointer, sql) else {
      throw ServerError(sqlState: "08006", message: errorText)
    }
    defer { PQclear(result) }
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
    default: throw ServerError(borrowing: result, statement: nil)
    }
    return (0..<PQntuples(result)).map { row in
      (0..<PQnfields(result)).map { column in
        PQgetisnull(result, row, column) == 1
          ? nil : String(cString: PQgetvalue(result, row, column))
      }
    }
  }
}
