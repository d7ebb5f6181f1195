package import Domain

/// Which log it is, and its epochs.
extension PostgresEventLog {
  package func history() async throws(StoreError) -> LogHistory {
    try Self.history(of: try await database.rows(EpochStatements.history(), as: .nobody))
  }

  package func declare(_ loss: LogLoss) async throws(StoreError) -> LogHistory {
    let call = EpochStatements.lose(Int64(loss.epoch), loss.seen, loss.shared, loss.witness)
    _ = try await database.write(call, for: .sequencing)
    return try await history()
  }

  /// Begins an epoch at the end of the log, because an operator says that it lost events.
  package func declareFork(why: String) async throws(StoreError) -> LogHistory {
    _ = try await database.write(EpochStatements.operate(why), for: .sequencing)
    return try await history()
  }

  package func contains(_ eventID: EntityID) async throws(StoreError) -> Bool {
    try await find(eventID) != nil
  }

  private static func history(of rows: ResultSet) throws(StoreError) -> LogHistory {
    let epochs = try rows.map { (row) throws(StoreError) in
      LogEpoch(
        id: UInt32(truncatingIfNeeded: try row.value(1, as: Int64.self)),
        beganAfter: try row.value(2))
    }
    guard let logID: EntityID = try rows.first?.value(0),
      let history = LogHistory(logID: logID, epochs: epochs)
    else { throw .corrupt("the log has no identity, or no epoch") }
    return history
  }
}
