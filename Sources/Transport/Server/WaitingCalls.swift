/// The calls of a connection that wait until their output may go out.
struct WaitingCalls {
  /// For credit, in order. All of them are open.
  private(set) var blocked: [ServerCall] = []
  /// Streaming writers that wait for the socket, or for the next tick.
  private var writers: [ServerCall] = []
  /// Whether something came that may let blocked calls continue. However much came: they are looked
  /// at once in a tick.
  private var isDue = false

  /// Credit came, or there may be room again.
  mutating func mayContinue() {
    isDue = true
  }

  mutating func waitForCredit(_ call: ServerCall) {
    blocked.append(call)
  }

  mutating func waitForRoom(_ call: ServerCall) {
    writers.append(call)
  }

  /// Whether to look at the blocked calls now, once.
  mutating func takeDue() -> Bool {
    defer { isDue = false }
    return isDue && !blocked.isEmpty
  }

  /// All that wait for credit, taken out; those that wait on are put in again.
  mutating func takeBlocked() -> [ServerCall] {
    defer { blocked.removeAll(keepingCapacity: true) }
    return blocked
  }

  /// All that wait for room, taken out.
  mutating func takeWriters() -> [ServerCall] {
    defer { writers.removeAll(keepingCapacity: true) }
    return writers
  }

  /// A call that waited for credit has ended. At once: the credit that would sweep it out may never
  /// come.
  mutating func remove(_ call: ServerCall) {
    blocked.removeAll { $0 === call }
  }

  mutating func removeAll() {
    blocked = []
    writers = []
  }
}
