import CLibPQ
import Glibc

/// Whether something between us and PostgreSQL, such as PgBouncer, gives the statements of one
/// connection to several sessions: then prepared statements, settings, advisory locks and LISTEN end
/// up with others, in ways that show much later.
///
/// PostgreSQL tells each client the process of its session; a pooler makes that number up, so that it
/// can pass on cancellations. Where the two agree there is none, and nothing more is asked. Where they
/// differ, a second connection shows whether ours keeps its session: what a pooler in session mode
/// gives us is ours until we close it.
enum PoolerCheck {
  private static let rounds = 8
  /// How long a pooler may take for a session, in milliseconds.
  private static let sessionWait: Int32 = 5000
  private static let ask = "SELECT pg_backend_pid()"

  /// Throws where `connection` does not keep its session. Nothing may have been set on it yet.
  ///
  /// - Parameter other: makes another connection to the same place.
  static func run(
    _ connection: PQConnection, other: () throws(ConnectFailure) -> PQConnection
  ) throws(ConnectFailure) {
    var session = try process(connection, ask)
    guard session != PQbackendPID(connection.pointer).description else { return }
    let second = try other()
    for _ in 0..<rounds {
      // The pooler hands out the session that was given back last, or one after the other: either
      // the second connection gets ours, or ours is another now, for the second holds what it has.
      let disturbing = try process(second, "BEGIN; \(ask)")
      let now = try process(connection, ask)
      if disturbing == session || disturbing == now || now != session { throw shared }
      _ = try process(second, "ROLLBACK")
      session = now
    }
  }

  static let shared = ConnectFailure.unusable(
    "the database URL leads to a pooler that gives each transaction another session, such as "
      + "PgBouncer with pool_mode = transaction: Hito keeps prepared statements, locks and LISTEN in "
      + "its sessions. Connect to PostgreSQL itself (usually port 5432), or give Hito's database "
      + "pool_mode = session in the pooler; Hito pools its connections itself")

  /// Runs `sql` and returns the last row's first value. A pooler without a free session lets us wait.
  private static func process(
    _ connection: PQConnection, _ sql: String
  ) throws(ConnectFailure) -> String? {
    let pointer = connection.pointer
    guard PQsendQuery(pointer, sql) == 1 else { throw failure(connection.errorText) }
    var value: String?
    while true {
      while PQisBusy(pointer) == 1 {
        var waiting = pollfd(fd: PQsocket(pointer), events: Int16(POLLIN), revents: 0)
        let ready = poll(&waiting, 1, sessionWait)
        if ready == 0 {
          throw .refused(
            "the pooler before PostgreSQL has no session free: it must have one for each of Hito's "
              + "connections and a few more (default_pool_size of PgBouncer)")
        }
        guard ready > 0 || errno == EINTR, PQconsumeInput(pointer) == 1 else {
          throw failure(connection.errorText)
        }
      }
      guard let result = PQgetResult(pointer) else { return value }
      defer { PQclear(result) }
      switch PQresultStatus(result) {
      case PGRES_TUPLES_OK where PQntuples(result) > 0:
        value = String(cString: PQgetvalue(result, 0, 0))
      case PGRES_COMMAND_OK: break
      default:
        let error = ServerError(borrowing: result, statement: nil)
        // PgBouncer with pool_mode = statement refuses BEGIN.
        if sql.hasPrefix("BEGIN") { throw shared }
        throw failure(error.message)
      }
    }
  }

  private static func failure(_ text: String) -> ConnectFailure {
    .refused("cannot find out whether there is a pooler: \(text)")
  }
}
