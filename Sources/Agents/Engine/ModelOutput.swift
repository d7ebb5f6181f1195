internal import Synchronization

/// What a model writes, on its way to whoever is shown it: prose is held to what prose may be, and the
/// parts of a proposal, which is checked once it is whole, are made to do nothing by themselves.
final class ModelOutput: Sendable {
  private enum Filter: Sendable {
    case prose(ModelProse)
    case parts(LiveText)
  }

  private let start: Filter
  private let filter: Mutex<Filter>

  /// - Parameter prose: nil for a proposal.
  init(_ prose: ModelProse?) {
    start = prose.map { .prose($0) } ?? .parts(LiveText())
    filter = Mutex(start)
  }

  /// The model begins anew.
  func restart() {
    filter.withLock { $0 = start }
  }

  /// Takes the next part; answers with what can be shown by now.
  func take(_ part: String) -> String {
    filter.withLock { filter in
      switch filter {
      case .prose(var prose):
        defer { filter = .prose(prose) }
        return prose.take(part)
      case .parts(var live):
        defer { filter = .parts(live) }
        return live.take(part)
      }
    }
  }

  /// The reply is whole; answers with what was held back.
  func end() -> String {
    filter.withLock { filter in
      guard case .prose(var prose) = filter else { return "" }
      defer { filter = .prose(prose) }
      return prose.end()
    }
  }
}
