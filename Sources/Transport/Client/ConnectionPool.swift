internal import NIOCore
internal import RPC
internal import Synchronization
internal import Wire

/// The connections of a client: gives each call one, makes them as they are needed, and has calls wait for room.
///
/// `PoolMachine` decides; this dials, wakes and keeps time.
final class ConnectionPool: Sendable {
  private struct State {
    var machine: PoolMachine
    /// Of those that have not ended, also where they take no more calls.
    var connections: [Int: ClientConnection] = [:]
    var waiters: [ConnectionWait] = []
    /// Why the last attempt found no server.
    var failure: (any Error)?
    /// Calls that ask how a server is, by the number of their connection.
    var checks: [Int: HealthCheck] = [:]
    var timerDue: Moment?
    var isClosed = false
  }

  private enum Placed {
    case connection(ClientConnection)
    case error(RPCError)
    /// With when to look again.
    case waiter(ConnectionWait, Moment?)
  }

  private let configuration: ClientConfiguration
  private let dialer: Dialer
  private let log: ClientLog?
  private let group: any EventLoopGroup
  private let state: Mutex<State>

  init(
    _ configuration: ClientConfiguration, _ dialer: Dialer, _ log: ClientLog?,
    on group: any EventLoopGroup
  ) {
    self.configuration = configuration
    self.dialer = dialer
    self.log = log
    self.group = group
    state = Mutex(
      State(
        machine: PoolMachine(
          PoolMachine.Settings(
            addressCount: dialer.addressCount, isInTurn: configuration.isInTurn,
            connectionCountMax: max(1, configuration.connectionCountMax),
            backoff: configuration.retry))))
  }

  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Ends the connections and all calls on them; who waits gets an error.
  func close() {
    let (connections, waiters) = state.withLock { state in
      state.isClosed = true
      defer { state.waiters = [] }
      return (Array(state.connections.values), state.waiters)
    }
    for waiter in waiters { waiter.finish(.failure(Self.closed)) }
    for connection in connections { connection.close() }
  }

  // MARK: Calls

  /// A connection with a place for one call, which `callEnded` gives back. Every error says that the call was not
  /// started.
  func connection(
    waitsForServer: Bool, until deadline: Moment?
  ) async throws(RPCError) -> ClientConnection {
    let (placed, dials) = state.withLock { state in
      (place(PoolMachine.Want(waitsForServer: waitsForServer), &state), state.machine.takeDials())
    }
    start(dials)
    switch placed {
    case .connection(let connection): return connection
    case .error(let error): throw error
    case .waiter(let waiter, let wakeUp):
      arm(wakeUp)
      do throws(RPCError) {
        return try await waiter.value(until: deadline, on: group.any())
      } catch {
        throw left(waiter, error)
      }
    }
  }

  /// A connection for a copy of a call that has those; nil where none has room.
  func connection(beside used: [Int]) -> ClientConnection? {
    state.withLock { state in
      guard !state.isClosed, let number = state.machine.placeBeside(used, now: .now) else {
        return nil
      }
      return state.connections[number]
    }
  }

  /// A call has ended, or a place was not used.
  func callEnded(on number: Int) {
    let isAwaited = state.withLock { state in
      state.machine.callEnded(on: number)
      return !state.waiters.isEmpty
    }
    if isAwaited { serveWaiters(all: false) }
  }

  /// Where a call goes, under the lock. Where it must wait it is among the waiters afterwards.
  private func place(_ want: PoolMachine.Want, _ state: inout State) -> Placed {
    if state.isClosed { return .error(Self.closed) }
    var want = want
    switch state.machine.place(&want, now: .now) {
    case .use(let number):
      return state.connections[number].map { .connection($0) } ?? .error(Self.closed)
    case .fail: return .error(unreachable(state.failure))
    case .wait(let until):
      let waiter = ConnectionWait(want)
      state.waiters.append(waiter)
      return .waiter(waiter, until)
    }
  }

  private func step(of waiter: ConnectionWait, _ state: inout State) -> PoolMachine.Step {
    waiter.withWant { state.machine.place(&$0, now: .now) }
  }

  /// Something has changed: in the order in which they came, each waiter gets what there is. Where there is more
  /// room and nothing else has changed the first that must wait on is the last that is asked.
  private func serveWaiters(all: Bool = true) {
    let (dials, wakeUp) = state.withLock { state -> ([Int], Moment?) in
      var left: [ConnectionWait] = []
      var wakeUp: Moment?
      for (place, waiter) in state.waiters.enumerated() where !waiter.isDone {
        if !all, !left.isEmpty {
          left += state.waiters[place...]
          break
        }
        switch step(of: waiter, &state) {
        case .use(let number):
          guard let connection = state.connections[number], waiter.finish(.success(connection))
          else {
            state.machine.callEnded(on: number)
            continue
          }
        case .fail: waiter.finish(.failure(unreachable(state.failure)))
        case .wait(let until):
          left.append(waiter)
          if let until { wakeUp = min(wakeUp ?? until, until) }
        }
      }
      state.waiters = left
      return (state.machine.takeDials(), wakeUp)
    }
    start(dials)
    arm(wakeUp)
  }

  /// A waiter has given up; what it says then.
  private func left(_ waiter: ConnectionWait, _ error: RPCError) -> RPCError {
    state.withLock { state in
      state.waiters.removeAll { $0 === waiter }
      guard error.code == .deadlineExceeded, let failure = state.failure else { return error }
      let why = (failure as? RPCError)?.message ?? "\(failure)"
      var said = RPCError(.deadlineExceeded, "\(error.message) (last failure: \(why))")
      said.isNotStarted = true
      return said
    }
  }

  /// Looks again at a time, at the latest.
  private func arm(_ due: Moment?) {
    guard let due else { return }
    let isSooner = state.withLock { state in
      guard !state.isClosed, state.timerDue.map({ due < $0 }) ?? true else { return false }
      state.timerDue = due
      return true
    }
    guard isSooner else { return }
    let delay = TimeAmount(max(.zero, Moment.now.duration(to: due))) + .nanoseconds(1)
    group.any().scheduleTask(in: delay) { [weak self] in
      guard let self else { return }
      state.withLock { if $0.timerDue == due { $0.timerDue = nil } }
      serveWaiters()
    }
  }

  // MARK: Connections

  private func start(_ dials: [Int]) {
    for address in dials {
      let owner = ClientConnection.Owner(
        retired: { [weak self] number in self?.retired(number) },
        served: { [weak self] number in
          self?.state.withLock { $0.machine.served(on: number) }
        },
        callEnded: { [weak self] number in self?.callEnded(on: number) },
        ended: { [weak self, log, dialer] number, ending in
          self?.state.withLock { $0.connections[number] = nil }
          if ending.wasEstablished { log?.disconnected(dialer.place(address), ending) }
        })
      let attempt = dialer.connect(to: address, on: group.next(), owner)
      let isClosed = state.withLock { state in
        state.connections[attempt.connection.number] = attempt.connection
        return state.isClosed
      }
      if isClosed { return attempt.connection.close() }
      let place = dialer.place(address)
      log?.connecting(place)
      let began = Moment.now
      attempt.connection.ready.futureResult.whenComplete { result in
        switch result {
        case .success:
          self.log?.connected(place, attempt.connection.serverID, after: began)
          self.established(attempt.connection, at: address)
        case .failure(let error):
          self.log?.connectFailed(place, error)
          self.failed(address, error)
        }
      }
      attempt.begin()
    }
  }

  /// On the connection's loop, before anything else can happen to it.
  private func established(_ connection: ClientConnection, at address: Int) {
    let number = connection.number
    let isWanted = state.withLock { state in
      guard !state.isClosed else { return false }
      state.failure = nil
      return state.machine.dialled(
        address, number: number,
        callCountMax: connection.machine.peerLimits.concurrentCallCountMax, now: .now)
    }
    if !isWanted { connection.close() }
    check(address, on: [number])
    serveWaiters()
  }

  private func failed(_ address: Int, _ error: any Error) {
    let isUntrusted =
      ((error as? RPCError)?.cause as? NetworkFailure)?.isCertificateRefused ?? false
    state.withLock { state in
      state.failure = error
      state.machine.dialFailed(
        address, isUntrusted: isUntrusted, now: .now, jitter: .random(in: 0...1))
    }
    serveWaiters()
  }

  private func retired(_ number: Int) {
    let (check, place) = state.withLock { state in
      let place = state.machine.address(of: number)
      state.machine.retired(number, now: .now, jitter: .random(in: 0...1))
      return (state.checks.removeValue(forKey: number), place)
    }
    // A draining server waits for its calls to end.
    check?.cancel()
    if check != nil, let place {
      self.check(place.index, on: place.connections.filter { $0 != number })
    }
    serveWaiters()
  }

  // MARK: Health

  /// Asks the server at an address how it is, on one of its connections, unless it is asked already.
  private func check(_ address: Int, on numbers: [Int]) {
    guard let probe = configuration.healthProbe else { return }
    let check = state.withLock { state -> HealthCheck? in
      guard !state.isClosed, let number = numbers.first,
        let connection = state.connections[number],
        let all = state.machine.address(of: number)?.connections,
        !all.contains(where: { state.checks[$0] != nil })
      else { return nil }
      let check = HealthCheck(probe, connection) { [weak self] isServing in
        self?.state.withLock { $0.machine.says(isServing: isServing, address: address) }
        self?.serveWaiters()
      } place: { [weak self] in
        self?.state.withLock { $0.machine.take(on: number) } ?? false
      }
      state.checks[number] = check
      return check
    }
    check?.start()
  }

  // MARK: Errors

  private static var closed: RPCError {
    var error = RPCError(.unavailable, "the client is closed")
    error.isNotStarted = true
    return error
  }

  private func unreachable(_ last: (any Error)?) -> RPCError {
    var error = dialer.failure(last)
    error.isNotStarted = true
    error.isUnreachable = true
    return error
  }
}
