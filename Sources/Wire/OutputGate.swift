/// When a connection's output is written, and when its input is read: one flush carries all that a
/// tick said, and a peer that does not read is not read from.
package struct OutputGate: Sendable, Hashable {
  package enum Action: Sendable, Hashable {
    case nothing
    /// Send what waited for the socket, then read if that was put off.
    case resume(isReadDue: Bool)
  }

  /// Whether the socket takes more.
  package private(set) var isWritable = true
  private var isFlushDue = false
  private var isReadDue = false

  package init() {}

  /// There is output. True when its flush must be arranged, once until `flushBegan`.
  package mutating func outputMade() -> Bool {
    defer { isFlushDue = true }
    return !isFlushDue
  }

  /// The flush that was arranged runs. Output that is made while it does needs another.
  package mutating func flushBegan() {
    isFlushDue = false
  }

  package mutating func writabilityChanged(to isWritable: Bool) -> Action {
    self.isWritable = isWritable
    guard isWritable else { return .nothing }
    defer { isReadDue = false }
    return .resume(isReadDue: isReadDue)
  }

  /// The channel asks to read; false puts it off until the socket takes output again.
  package mutating func readRequested() -> Bool {
    if !isWritable { isReadDue = true }
    return isWritable
  }
}
