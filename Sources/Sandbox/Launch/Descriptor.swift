import CSandbox
import Glibc

/// A descriptor that is closed with its owner.
struct Descriptor: ~Copyable {
  let raw: Int32

  /// Nil where the call that should have made it failed.
  init?(_ raw: Int32) {
    guard raw >= 0 else { return nil }
    self.raw = raw
  }

  deinit { close(raw) }
}

/// A pipe of which this process keeps one end, which never waits.
final class Pipe {
  private(set) var ours: Int32
  private(set) var theirs: Int32

  /// Nil where the process has no descriptor left.
  ///
  /// - Parameter writes: whether this process writes into it.
  init?(writes: Bool = false) {
    var ends: [Int32] = [-1, -1]
    guard hsb_pipe(&ends, writes ? 1 : 0) == 0 else { return nil }
    (ours, theirs) = writes ? (ends[1], ends[0]) : (ends[0], ends[1])
  }

  deinit {
    closeOurs()
    closeTheirs()
  }

  func closeOurs() {
    if ours >= 0 { close(ours) }
    ours = -1
  }

  /// Once others have it: a reader meets the end when theirs are closed.
  func closeTheirs() {
    if theirs >= 0 { close(theirs) }
    theirs = -1
  }
}

/// Ends a job from another thread: rung once, it stays rung.
final class CancellationBell: Sendable {
  let descriptor: Int32

  /// Nil where the process has no descriptor left.
  init?() {
    descriptor = hsb_bell()
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  func ring() { hsb_ring(descriptor) }
}
