/// When a server accepts: not while as many sockets are open as it may have, whoever they are of, and
/// not for a moment after accepting failed for want of a descriptor.
///
///     accepting --as many as allowed--> full --one has closed--> accepting
///         |
///         +--no descriptor--> resting --a moment--> accepting, or full
struct AcceptMachine: Sendable, Hashable {
  enum Action: Sendable, Hashable {
    case nothing
    case pause
    case resume
    /// Pause, and call `rested` in a moment.
    case rest
  }

  private let socketCountMax: Int
  private(set) var socketCount = 0
  private var isResting = false
  private var isPaused = false

  init(socketCountMax: Int) {
    self.socketCountMax = socketCountMax
  }

  mutating func accepted() -> Action {
    socketCount += 1
    return next()
  }

  /// The descriptor of a socket is free again.
  mutating func closed() -> Action {
    socketCount -= 1
    return next()
  }

  /// Accepting failed because there was no descriptor or no memory for it.
  mutating func failed() -> Action {
    guard !isResting else { return .nothing }
    isResting = true
    isPaused = true
    return .rest
  }

  mutating func rested() -> Action {
    isResting = false
    return next()
  }

  private mutating func next() -> Action {
    let mustPause = isResting || socketCount >= socketCountMax
    guard mustPause != isPaused else { return .nothing }
    isPaused = mustPause
    return mustPause ? .pause : .resume
  }
}
