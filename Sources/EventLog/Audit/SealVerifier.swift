package import Domain

/// Compares the log and the audit's entries with their seals, from the first on.
package struct SealVerifier: Sendable {
  /// What was found.
  package struct Report: Sendable, Hashable {
    /// The first thing that is not as it was sealed; nil where all is.
    package var fault: AuditFault?
    package var sealCount: Int64 = 0
    /// Up to where events and entries are sealed.
    package var sealedPosition: Int64 = 0
    package var sealedEntry: Int64 = 0
    /// Events that have left the store and could not be read here: their seals hold together, and they
    /// themselves were not looked at.
    package var unreadEventCount: Int64 = 0
    /// Up to which number entries were removed because they were old, as an entry says.
    package var removedEntry: Int64 = 0
    /// Events and entries that no seal vouches for yet.
    package var unsealedEventCount: Int64 = 0
    package var unsealedEntryCount: Int64 = 0
    /// The hash of the last seal; that of the beginning where there is none.
    package var head: [UInt8] = []
  }

  private static let sealPageMax = 100
  private static let pageMax = 1000
  private static let pageByteCountMax = 8 << 20

  private let log: any EventLog
  private let store: any AuditStore
  private let chain: SealChain

  /// - Parameters:
  ///   - log: with its archive where that can be read.
  ///   - key: the operator's; nil: signatures are not looked at.
  package init(log: any EventLog, store: any AuditStore, key: [UInt8]? = nil) {
    self.log = log
    self.store = store
    chain = SealChain(key: key)
  }

  /// - Parameters:
  ///   - expected: a hash that was kept outside: it has to be that of a seal.
  ///   - progress: told now and then up to which position all is well, and the end of the log.
  package func verify(
    expected: [UInt8]? = nil, progress: (Int64, Int64) -> Void = { _, _ in }
  ) async throws(StoreError) -> Report {
    var report = Report()
    let head = try await log.head()
    var place = SealChain.Place(beginningOf: try await log.history().logID)
    var isExpectedFound = expected == nil || expected == place.hash
    report.head = place.hash
    report.removedEntry = try await store.removedEntry()
    while true {
      let seals = try await store.seals(after: place.number, limit: Self.sealPageMax)
      guard !seals.isEmpty else { break }
      for seal in seals {
        if let fault = try await fault(of: seal, after: place, &report) {
          report.fault = fault
          return report
        }
        place = SealChain.Place(seal)
        isExpectedFound = isExpectedFound || seal.hash == expected
        report.sealCount = seal.number
        (report.sealedPosition, report.sealedEntry) = (place.lastPosition, place.lastEntry)
        report.head = seal.hash
      }
      progress(place.lastPosition, head)
    }
    report.unsealedEventCount = max(0, head - place.lastPosition)
    report.fault = try await faultOfUnsealed(after: place, through: head, &report)
    if let stray = try await store.eventOutsideTheLog() { report.fault = .eventInserted(stray) }
    // None that an entry says were removed may be there: they would not be compared with anything.
    if let first = try await store.entries(after: 0, limit: 1).first,
      first.number <= report.removedEntry
    {
      report.fault = .entryInserted(first.number, first.id)
    }
    if !isExpectedFound { report.fault = .headUnknown }
    return report
  }

  /// The first gap in what no seal vouches for yet: numbers have none.
  private func faultOfUnsealed(
    after place: SealChain.Place, through head: Int64, _ report: inout Report
  ) async throws(StoreError) -> AuditFault? {
    var (position, number) = (place.lastPosition, place.lastEntry)
    while true {
      let entries = try await store.entries(after: number, limit: Self.pageMax)
      for entry in entries {
        // The first ones may have gone before anything of them was sealed only where that is said.
        guard entry.number == number + 1 || number < report.removedEntry else {
          return .entryMissing(number + 1)
        }
        number = entry.number
      }
      report.unsealedEntryCount += Int64(entries.count)
      if entries.count < Self.pageMax { break }
    }
    do throws(StoreError) {
      while position < head {
        let page = try await log.page(
          after: position, limit: Self.pageMax, byteCountMax: Self.pageByteCountMax
        ).events
        if page.isEmpty { return .eventMissing(position + 1) }
        for event in page {
          guard event.position == position + 1 else { return .eventMissing(position + 1) }
          position = event.position
        }
      }
    } catch {
      guard case .archived = error else { throw error }
    }
    return nil
  }

  private func fault(
    of seal: LogSeal, after place: SealChain.Place, _ report: inout Report
  ) async throws(StoreError) -> AuditFault? {
    if let fault = chain.fault(of: seal, after: place) { return fault }
    let removed = report.removedEntry
    let first = max(place.lastEntry, min(removed, seal.lastEntry))
    let entries = try await store.entries(after: first, limit: Int(seal.lastEntry - first))
    var events: [StoredEvent]?
    do throws(StoreError) {
      events = try await self.events(after: place.lastPosition, through: seal.lastPosition)
    } catch {
      guard case .archived = error else { throw error }
      report.unreadEventCount += seal.lastPosition - place.lastPosition
    }
    return chain.fault(of: events, entries, removed: removed, sealedBy: seal, after: place)
  }

  private func events(
    after start: Int64, through end: Int64
  ) async throws(StoreError) -> [StoredEvent] {
    var events: [StoredEvent] = []
    while (events.last?.position ?? start) < end {
      let page = try await log.page(
        after: events.last?.position ?? start,
        limit: min(Self.pageMax, Int(end - (events.last?.position ?? start))),
        byteCountMax: Self.pageByteCountMax
      ).events
      if page.isEmpty { break }
      events += page.prefix { $0.position <= end }
      if page.last.map({ $0.position > end }) ?? false { break }
    }
    return events
  }
}
