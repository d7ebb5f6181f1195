package import Domain

/// Where events are read from, page by page.
package protocol EventSource: Sendable {
  /// The events of the next page; nil after the last one.
  mutating func next() async throws -> SourcePage?
}

/// Some events, and what is known of the log once they are applied.
package struct SourcePage: Sendable {
  package var events: [StoredEvent]
  /// Every event up to here has been given; nil where the source is not in the order of positions.
  package var position: Int64?

  package init(events: [StoredEvent], position: Int64?) {
    self.events = events
    self.position = position
  }
}

/// The log in the order of positions, up to and with `last`.
package struct LogSource: EventSource {
  private static let eventCountMax = 2_000
  private static let byteCountMax = 8 << 20

  private let log: any EventLog
  private var position: Int64
  private let last: Int64

  package init(_ log: any EventLog, after position: Int64, through last: Int64) {
    self.log = log
    self.position = position
    self.last = last
  }

  package mutating func next() async throws -> SourcePage? {
    guard position < last else { return nil }
    let page = try await log.page(
      after: position, limit: Self.eventCountMax, byteCountMax: Self.byteCountMax)
    let events = page.events.filter { $0.position <= last }
    guard let end = events.last?.position, events.first?.position == position + 1 else {
      throw ReplayError.gap(after: position)
    }
    position = end
    return SourcePage(events: events, position: end)
  }
}

/// Why a replay ended.
package enum ReplayError: Error, Sendable, Hashable, CustomStringConvertible {
  case gap(after: Int64)
  case sourceEndsBefore(head: Int64, position: Int64)
  /// A schema without them would be continued past them.
  case nothingKept(Replayer.LeftOut)

  package var description: String {
    switch self {
    case .gap(let position): "the event after position \(position) is not in the log"
    case .sourceEndsBefore(let head, let position):
      "the schema is at position \(position), and the log ends at \(head): it is of another log; "
        + "leave --continue out"
    case .nothingKept(let leftOut): "\(leftOut): nothing was kept"
    }
  }
}
