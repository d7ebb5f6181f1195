/// How long what a session does may take; zero is without a limit.
package struct SessionLimits: Sendable, Hashable {
  package var statement: Duration = .seconds(30)
  package var lock: Duration = .seconds(10)
  /// Nil: what the server, the database or the role says.
  package var transaction: Duration?
  package var idleInTransaction: Duration = .seconds(30)
  /// Nil: what the server, the database or the role says.
  package var idleSession: Duration?

  package init() {}

  /// For migrations, index builds and whatever else reads or writes a whole table: it ends when it
  /// is done, whatever limits others live with.
  ///
  /// - Parameter lock: how long to wait for a lock; others wait after us meanwhile.
  package static func bulk(lock: Duration) -> SessionLimits {
    var limits = SessionLimits()
    limits.statement = .zero
    limits.lock = lock
    limits.transaction = .zero
    limits.idleInTransaction = .zero
    limits.idleSession = .zero
    return limits
  }

  /// PostgreSQL 17 brought `transaction_timeout`; others do not know it.
  private static let transactionLimitVersion = 170_000

  func settings(serverVersion: Int) -> [(name: String, value: String)] {
    var settings = [
      ("statement_timeout", Self.milliseconds(statement)),
      ("lock_timeout", Self.milliseconds(lock)),
      ("idle_in_transaction_session_timeout", Self.milliseconds(idleInTransaction)),
    ]
    if let transaction, serverVersion >= Self.transactionLimitVersion {
      settings.append(("transaction_timeout", Self.milliseconds(transaction)))
    }
    if let idleSession {
      settings.append(("idle_session_timeout", Self.milliseconds(idleSession)))
    }
    return settings
  }

  private static func milliseconds(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    return String(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
  }
}
