/// The roles of the embedded cluster.
package enum ClusterRole: String, CaseIterable, Sendable {
  /// The superuser: makes roles, databases and extensions. Nothing else uses it.
  case administrator = "postgres"
  /// Owns the database and, through the migrations, every table.
  case owner = "hito"
  /// What the server works as: owns nothing, may do what the migrations grant.
  case application = "hito_app"
}

/// How to reach the embedded cluster.
package struct ClusterConnection: Equatable, Sendable {
  /// The folder of the socket; only root and the database's user can enter it.
  package let socketDirectory: String
  /// Names the socket file; nothing listens on the network.
  package let port: Int
  package let database: String

  package init(socketDirectory: String, port: Int, database: String) {
    self.socketDirectory = socketDirectory
    self.port = port
    self.database = database
  }

  /// What PostgreSQL keeps beside its socket, with its process id.
  var socketLock: String { socketDirectory + "/.s.PGSQL.\(port).lock" }

  /// The same cluster, another database.
  package func with(database: String) -> ClusterConnection {
    ClusterConnection(socketDirectory: socketDirectory, port: port, database: database)
  }

  /// The connection string for libpq. The system says who we are: there is no password.
  package func conninfo(role: ClusterRole = .application) -> String {
    let parameters = [
      ("host", socketDirectory), ("port", "\(port)"), ("dbname", database), ("user", role.rawValue),
    ]
    return parameters.map { "\($0.0)=\(Self.quoted($0.1))" }.joined(separator: " ")
  }

  private static func quoted(_ value: String) -> String {
    var quoted = "'"
    for character in value {
      if character == "'" || character == "\\" { quoted.append("\\") }
      quoted.append(character)
    }
    return quoted + "'"
  }
}
