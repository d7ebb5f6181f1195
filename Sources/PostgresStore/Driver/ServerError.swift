import CLibPQ
package import Domain

/// An error that the server reported for a statement of a unit; the unit was rolled back.
package struct ServerError: Error, Sendable, Hashable {
  package var sqlState: String
  package var message: String
  package var constraint: String?
  /// The name of the statement; nil where the commit itself failed.
  package var statement: String?
  /// FATAL and PANIC end the connection.
  package var endsConnection: Bool

  /// Our own code for a guarded row that did not match (`hito_stale()`).
  package static let stale = "HT001"

  init(sqlState: String, message: String, constraint: String? = nil, statement: String? = nil) {
    self.sqlState = sqlState
    self.message = message
    self.constraint = constraint
    self.statement = statement
    self.endsConnection = false
  }

  /// Reads (and leaves to its owner) an error result; `statement` is what it answers.
  init(borrowing result: OpaquePointer, statement: String?) {
    func field(_ code: CChar) -> String? {
      PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
    }
    let severity = field(hito_diag_severity())
    sqlState = field(hito_diag_sqlstate()) ?? ""
    message = field(hito_diag_message()) ?? String(cString: PQresultErrorMessage(result))
    constraint = field(hito_diag_constraint()).flatMap { $0.isEmpty ? nil : $0 }
    self.statement = statement
    // Errors that libpq makes itself have no state: the connection is broken.
    endsConnection = severity == "FATAL" || severity == "PANIC" || sqlState.isEmpty
  }

  /// Whether the session no longer fits the server: its plans are outdated, its prepared
  /// statements are gone, or it leads to a server that became a standby. A new one heals that.
  var wantsNewSession: Bool {
    sqlState == "26000" || sqlState == "25006"
      || sqlState == "0A000" && message.contains("cached plan")
  }

  /// What a caller is told. The unit was rolled back, so that nothing is in doubt.
  package var storeError: StoreError {
    let text = "\(statement ?? "commit"): \(sqlState) \(message)"
    switch sqlState {
    case "23505": return .duplicate(constraint: constraint ?? "")
    case "57014": return .timedOut(maybeCommitted: false)
    // Lock not available, serialization failure, deadlock, standby, outdated session.
    case "55P03", "40001", "40P01", "25006", "26000":
      return .unavailable(text, maybeCommitted: false)
    case _ where wantsNewSession: return .unavailable(text, maybeCommitted: false)
    default:
      switch sqlState.prefix(2) {
      // Connection, resources, operator intervention, system error.
      case "08", "53", "57", "58": return .unavailable(text, maybeCommitted: false)
      default: return .corrupt(text)
      }
    }
  }
}
