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

/// A pipe whose reader never waits.
final class Pipe {
  let reader: Int32
  private(set) var writer: Int32

  /// Nil where the process has no descriptor left.
  init?() {
    var ends: [Int32] = [-1, -1]
    guard hsb_pipe(&ends) == 0 else { return nil }
    (reader, writer) = (ends[0], ends[1])
  }

  deinit {
    close(reader)
    closeWriter()
  }

  /// Once others have it: the reader meets the end when theirs are closed.
  func closeWriter() {
    if writer >= 0 { close(writer) }
    writer = -1
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
