package import Domain

/// The lake as the reports' archive.
extension ParquetEventLake: EventArchive {
  package func archivedPosition(in history: LogHistory) async throws(StoreError) -> Int64 {
    min(publishedPosition, self.history?.shared(with: history) ?? 0)
  }

  package func events(
    user: EntityID, in period: ReportPeriod, upTo position: Int64
  ) async throws(StoreError) -> [ArchivedEvent] {
    do throws(LakeError) {
      return try await scan(
        LakeQuery(userID: user, period: period, positionMax: position)
      ).rows
    } catch {
      switch error {
      case .cancelled: throw .cancelled
      case .io, .locked, .overloaded, .closed:
        throw .unavailable("the lake cannot be read now", maybeCommitted: false)
      case .damaged:
        // Being written again from the log; see LakeSink.
        throw .unavailable("a file of the lake is being restored", maybeCommitted: false)
      default: throw .corrupt("lake: \(error)")
      }
    }
  }
}
