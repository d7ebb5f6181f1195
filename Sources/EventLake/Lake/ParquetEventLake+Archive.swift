package import Domain

/// The lake as the reports' archive.
extension ParquetEventLake: EventArchive {
  package func archivedPosition() async throws(StoreError) -> Int64 { publishedPosition }

  package func events(
    user: UUIDv7, in period: ReportPeriod, upTo position: Int64
  ) async throws(StoreError) -> [ArchivedEvent] {
    do throws(LakeError) {
      let found = try await scan(
        LakeQuery(userID: user, period: period, positionMax: position))
      return found.rows.map { row in
        ArchivedEvent(
          position: row.position, type: row.type, createdAt: row.createdAt,
          validationScore: row.validationScore)
      }
    } catch .cancelled {
      throw .cancelled
    } catch {
      if error.isRetryable { throw .unavailable("\(error)", maybeCommitted: false) }
      throw .corrupt("\(error)")
    }
  }
}
