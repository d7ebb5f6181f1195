import CLibPQ

/// A blocking connection for the few statements that make a cluster ready. The server's own work
/// goes through the pooled driver; this one never leaves its thread.
package struct AdministratorSession: ~Copyable {
  private let connection: OpaquePointer

  /// Why no connection could be made.
  package struct Failure: Error {
    package let message: String
  }

  package init(_ target: ClusterConnection, role: ClusterRole = .administrator) throws(Failure) {
    let conninfo =
      target.conninfo(role: role)
      + " connect_timeout='5' application_name='hito cluster' client_encoding='UTF8'"
      + " options='-c client_min_messages=error -c lock_timeout=0 -c statement_timeout=0'"
    guard let connection = PQconnectdb(conninfo) else { throw Failure(message: "out of memory") }
    guard PQstatus(connection) == CONNECTION_OK else {
      let message = String(cString: PQerrorMessage(connection))
      PQfinish(connection)
      throw Failure(message: message)
    }
    self.connection = connection
    if PQserverVersion(connection) >= 170_000 {
      PQclear(PQexec(connection, "SET transaction_timeout = 0"))
    }
  }

  deinit { PQfinish(connection) }

  /// Runs one constant statement with text parameters and returns its rows.
  @discardableResult
  package func run(
    _ statement: String, _ parameters: [String] = []
  ) throws(EmbeddedClusterError) -> [[String?]] {
    let result = Self.withParameters(parameters) { values in
      PQexecParams(
        connection, statement, Int32(parameters.count), nil, values, nil, nil, 0)
    }
    defer { PQclear(result) }
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK: break
    default:
      let message = String(cString: PQerrorMessage(connection))
      throw .statementFailed(statement: statement, message: message)
    }
    return (0..<PQntuples(result)).map { row in
      (0..<PQnfields(result)).map { column in
        PQgetisnull(result, row, column) == 1
          ? nil : String(cString: PQgetvalue(result, row, column))
      }
    }
  }

  /// A name as it stands in a statement that takes no parameters (CREATE DATABASE).
  func identifier(_ name: String) throws(EmbeddedClusterError) -> String {
    guard let quoted = PQescapeIdentifier(connection, name, name.utf8.count) else {
      let message = String(cString: PQerrorMessage(connection))
      throw .statementFailed(statement: name, message: message)
    }
    defer { PQfreemem(quoted) }
    return String(cString: quoted)
  }

  private static func withParameters<R>(
    _ parameters: [String], _ body: ([UnsafePointer<CChar>?]) -> R
  ) -> R {
    let pointers = parameters.map { parameter in
      parameter.withCString { source in
        let count = parameter.utf8.count + 1
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: count)
        copy.update(from: source, count: count)
        return copy
      }
    }
    defer { for pointer in pointers { pointer.deallocate() } }
    return body(pointers.map { UnsafePointer($0) })
  }
}
