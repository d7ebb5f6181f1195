import CLibPQ
import Glibc
import Synchronization

/// What other threads tell the poll thread.
enum PoolCommand: Sendable {
  case submit(pool: Int, Submission)
  case abandon(pool: Int, unit: UInt64)
  case connected(pool: Int, slot: Int, generation: UInt64, PQConnection)
  case connectFailed(pool: Int, slot: Int, generation: UInt64, ConnectFailure)
  case cancelFinished(pool: Int, slot: Int, generation: UInt64)
  case shutDown(grace: Duration)
}

/// A unit with the one who waits for it.
struct Submission: Sendable {
  var id: UInt64
  var unit: StatementUnit
  var deadline: ContinuousClock.Instant
  var waiter: Waiter
}

/// The way into the poll thread: a queue of commands, and a descriptor that wakes it.
final class Mailbox: Sendable {
  private struct State {
    var commands: [PoolCommand] = []
    var isWoken = false
    var isClosed = false
  }

  private let state = Mutex(State())
  /// Readable while commands may be waiting.
  let descriptor: Int32

  init() { descriptor = hito_eventfd() }

  deinit { close(descriptor) }

  /// False once the poll thread has ended: nobody will read the command.
  @discardableResult
  func post(_ command: PoolCommand) -> Bool {
    let (isOpen, mustWake) = state.withLock { state in
      guard !state.isClosed else { return (false, false) }
      state.commands.append(command)
      defer { state.isWoken = true }
      return (true, !state.isWoken)
    }
    if mustWake {
      var one: UInt64 = 1
      _ = write(descriptor, &one, 8)
    }
    return isOpen
  }

  /// Takes every command and resets the descriptor.
  func drain() -> [PoolCommand] {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
    return state.withLock { state in
      state.isWoken = false
      defer { state.commands = [] }
      return state.commands
    }
  }

  /// Refuses every further command, and returns those not yet taken.
  func seal() -> [PoolCommand] {
    state.withLock { state in
      state.isClosed = true
      defer { state.commands = [] }
      return state.commands
    }
  }
}

/// The loop that serves every connection of one database: waits for sockets, commands and times,
/// and lets the pools act. Confined to its thread.
final class PollLoop {
  private static let mailboxKey = UInt64.max

  private let mailbox: Mailbox
  private let pools: [PoolDriver]
  private let epoll: Int32

  /// Nil where the system has no descriptor left.
  init?(mailbox: Mailbox, makePools: (_ epoll: Int32) -> [PoolDriver]) {
    epoll = hito_epoll_create()
    guard epoll >= 0, mailbox.descriptor >= 0 else { return nil }
    self.mailbox = mailbox
    pools = makePools(epoll)
    guard
      hito_epoll_control(
        epoll, EPOLL_CTL_ADD, mailbox.descriptor, hito_epoll_in(), PollLoop.mailboxKey) == 0
    else { return nil }
  }

  deinit { close(epoll) }

  /// Runs until every pool has stopped.
  func run() {
    let capacity = 64
    var keys = [UInt64](repeating: 0, count: capacity)
    var masks = [UInt32](repeating: 0, count: capacity)
    var now = ContinuousClock.now
    for pool in pools { pool.start(now: now) }
    while !pools.allSatisfy(\.isStopped) {
      let count = Int(hito_epoll_wait(epoll, &keys, &masks, Int32(capacity), timeout(now)))
      now = .now
      for index in 0..<max(0, count) where keys[index] != PollLoop.mailboxKey {
        let key = keys[index]
        let pool = Int(truncatingIfNeeded: key >> 32)
        guard pools.indices.contains(pool) else { continue }
        pools[pool].socketReady(slot: Int(key & 0xffff_ffff), mask: masks[index], now: now)
      }
      // Also without its event: a command may have come while sockets were served.
      for command in mailbox.drain() { handle(command, now: now) }
      for pool in pools { pool.tick(now: now) }
    }
    for command in mailbox.seal() { handle(command, now: now) }
  }

  private func timeout(_ now: ContinuousClock.Instant) -> Int32 {
    guard let at = pools.compactMap(\.nextWakeup).min() else { return -1 }
    let (seconds, attoseconds) = (at - now).components
    if seconds < 0 || attoseconds < 0 { return 0 }
    // Rounded up, so that the loop does not spin through the last millisecond.
    return Int32(min(seconds, 3600) * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
  }

  private func handle(_ command: PoolCommand, now: ContinuousClock.Instant) {
    switch command {
    case .submit(let pool, let submission): pools[pool].submit(submission, now: now)
    case .abandon(let pool, let unit): pools[pool].abandon(unit, now: now)
    case .connected(let pool, let slot, let generation, let connection):
      pools[pool].connected(slot, generation, connection, now: now)
    case .connectFailed(let pool, let slot, let generation, let failure):
      pools[pool].connectFailed(slot, generation, failure, now: now)
    case .cancelFinished(let pool, let slot, let generation):
      pools[pool].cancelFinished(slot, generation, now: now)
    case .shutDown(let grace):
      for pool in pools { pool.shutDown(grace: grace, now: now) }
    }
  }
}
