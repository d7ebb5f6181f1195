internal import Domain
internal import EventLog
internal import RPC

/// Shows a run that somebody drives, here or on another server.
struct RunFollower: Sendable {
  private static let ringLimit = 500

  let journal: RunJournal
  let hub: EventHub
  let options: AgentOptions

  /// Shows what is committed next, waiting for it; returns at once where something is there.
  func showNext(
    of session: inout RunSession, after position: inout Int64, on sink: any RunSink
  ) async throws {
    var records = try await show(&session, on: sink)
    while records == 0 {
      guard !hub.isDraining else { throw RPCError.draining(resumeCursor: nil) }
      let hasNews = try await waitForNews(of: session.run.id, after: &position)
      records = try await show(&session, on: sink)
      if !hasNews { return }
    }
  }

  private func show(_ session: inout RunSession, on sink: any RunSink) async throws -> Int {
    // Each record is shown with the session behind it, not behind the last one.
    var shown = session
    let records = try await journal.readOn(&session)
    for record in records {
      try shown.step(to: record)
      try await sink.happened(record, shown)
    }
    return records.count
  }

  /// - Returns: false where nothing was heard of the run for a while.
  private func waitForNews(
    of id: UUIDv7, after position: inout Int64
  ) async throws -> Bool {
    while true {
      try Task.checkCancellation()
      switch hub.take(after: position, limit: Self.ringLimit) {
      case .events(let events):
        position = events.last?.event.position ?? position
        if events.contains(where: { $0.event.entityID == id }) { return true }
      case .gone:
        position = hub.head ?? position
        return true
      case .empty:
        let (hub, last) = (hub, position)
        await race(upTo: options.pollInterval, clock: options.clock) { await hub.wait(after: last) }
        if hub.isDraining || (hub.head ?? 0) <= last { return false }
      }
    }
  }
}
