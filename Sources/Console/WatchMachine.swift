package import Contract
package import RPC
import Wire

/// Where a watcher stands, and what to do when its stream ends. A pure value: it never waits.
///
///     connecting --message--> streaming --error that passes--> waiting --> connecting
///          |                      |
///          +-- error before the   +-- any other error: given up
///              first message: given up
package struct WatchMachine: Sendable {
  package enum Step: Sendable, Hashable {
    /// Open the stream again after this time.
    case reconnect(after: Duration)
    case giveUp
  }

  private static let delayMin = Duration.milliseconds(100)
  private static let delayMax = Duration.seconds(5)

  private var first: WatchRequest
  /// Behind this the stream goes on; nil before the first message.
  package private(set) var cursor: String?
  private var failureCount = 0

  package init(_ request: WatchRequest) {
    first = request
    if case .afterCursor(let cursor) = request.start { self.cursor = cursor }
  }

  /// What to ask for now: the first time what the caller wants, then what is missing.
  package var request: WatchRequest {
    guard let cursor else { return first }
    var request = first
    request.start = .afterCursor(cursor)
    return request
  }

  package private(set) var hasReceived = false

  /// A message has arrived.
  package mutating func received(_ message: WatchResponse) {
    if !message.cursor.isEmpty { cursor = message.cursor }
    hasReceived = true
    failureCount = 0
  }

  /// The stream has ended: with an error, or in order (nil), which servers do when they drain.
  ///
  /// - Parameter jitter: 0 to 1, so that a thousand watchers do not come back as one.
  package mutating func ended(_ error: RPCError?, jitter: Double) -> Step {
    if let resume = error?.resumeCursor, !resume.isEmpty { cursor = resume }
    guard hasReceived, error.map(Self.passes) ?? true else { return .giveUp }
    failureCount += 1
    let factor = Double(1 << min(failureCount - 1, 10))
    let delay = min(Self.delayMin * factor, Self.delayMax)
    return .reconnect(after: delay * (0.5 + jitter / 2))
  }

  private static func passes(_ error: RPCError) -> Bool {
    switch error.code {
    case .unavailable: true
    case .cancelled, .deadlineExceeded, .aborted: error.isFromServer
    default: false
    }
  }
}
