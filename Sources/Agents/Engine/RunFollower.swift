package import Domain

/// Shows a run that is driven, here or on another server.
package struct RunFollower: Sendable {
  /// This server goes away: another one shows what comes next.
  package struct Draining: Error {
    package init() {}
  }

  private let journal: RunJournal
  private let live: any LiveLog
  private let options: AgentOptions

  package init(journal: RunJournal, live: any LiveLog, options: AgentOptions) {
    self.journal = journal
    self.live = live
    self.options = options
  }

  /// Shows what is committed next, waiting for it; returns at once where something is there.
  ///
  /// - Parameter endsWithDrain: whether a server that goes away ends this at once; otherwise it is
  ///   shown what comes for as long as its call may last.
  package func showNext(
    of session: inout RunSession, after position: inout Int64, on sink: any RunSink,
    endsWithDrain: Bool
  ) async throws {
    var records = try await show(&session, on: sink)
    while records == 0 {
      if endsWithDrain, live.isDraining { throw Draining() }
      let hasNews = try await news.wait(of: session.run.id, after: &position)
      records = try await show(&session, on: sink)
      if !hasNews { return }
    }
  }

  private var news: LogNews {
    LogNews(live: live, interval: options.pollInterval, clock: options.clock)
  }

  private func show(_ session: inout RunSession, on sink: any RunSink) async throws -> Int {
    // Each record is shown with the session after it, not after the last one.
    var shown = session
    let records = try await journal.readOn(&session)
    for record in records {
      try shown.step(to: record)
      try await sink.happened(record, shown)
    }
    return records.count
  }
}
