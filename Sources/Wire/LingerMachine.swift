/// How long a connection stays that says nothing more, so that its last words are read (W11.8).
///
///     writing --all of it is in the kernel--> closing --grace--> over
///      |   ^                                                       ^
///      |   +--grace, and less is left--+                           |
///      +--grace, and nothing was taken; or `writingMax`------------+
///
/// The peer ends it sooner by closing its side.
package struct LingerMachine: Sendable, Hashable {
  private enum State: Hashable {
    /// So many bytes are still ours.
    case writing(byteCount: Int, until: Moment)
    case closing(until: Moment)
  }

  /// A peer that takes a little from time to time holds its connection no longer than this.
  package static let writingMax = Duration.seconds(60)

  private let grace: Duration
  private let writingEnd: Moment
  private var state: State

  /// - Parameter unwrittenByteCount: what the kernel has not taken yet.
  package init(grace: Duration, unwrittenByteCount: Int, now: Moment) {
    self.grace = grace
    writingEnd = now + max(grace, Self.writingMax)
    state = .writing(byteCount: unwrittenByteCount, until: now + grace)
  }

  /// Everything was written and our side is closed: the peer's time to read it begins.
  package mutating func outputClosed(now: Moment) {
    state = .closing(until: now + grace)
  }

  /// When `timerFired` wants to be called next.
  package var due: Moment {
    switch state {
    case .writing(_, let until): min(until, writingEnd)
    case .closing(let until): until
    }
  }

  /// Time passed; may be called at any time. Whether it is over.
  package mutating func timerFired(
    unwrittenByteCount: Int, now: Moment
  ) -> Bool {
    guard due <= now else { return false }
    guard case .writing(let byteCount, _) = state, now < writingEnd,
      unwrittenByteCount < byteCount
    else { return true }
    state = .writing(byteCount: unwrittenByteCount, until: now + grace)
    return false
  }
}
