internal import Wire

/// Chooses the connection of a call, and says when which address is dialled. A pure value: it neither dials nor
/// waits, and time is an argument.
///
///     address: idle --dial--> dialling --HELLO--> live --lost--> idle, or resting where it did nothing
///                                 +------fails------------------> resting --time--> idle
struct PoolMachine: Sendable {
  struct Settings: Sendable {
    var addressCount = 1
    var isInTurn = false
    /// To one address.
    var connectionCountMax = 4
    var backoff = RetryPolicy()
  }

  /// What a call wants.
  struct Want: Sendable {
    /// Whether it waits where no server can be reached.
    var waitsForServer = false
    /// Its place in the round; nil before it had one.
    var turn: Int?
  }

  enum Step: Sendable, Hashable {
    /// This connection; a place on it is taken, and given back by `callEnded`.
    case use(Int)
    /// Ask again when something has changed, at the latest at this time.
    case wait(until: Moment?)
    /// No server can be reached.
    case fail
  }

  private struct Connection: Sendable {
    let number: Int
    let callCountMax: Int
    let since: Moment
    var callCount = 0
    /// Whether a call was answered there.
    var hasServed = false
    var hasRoom: Bool { callCount < callCountMax }
  }

  private struct Address: Sendable {
    var connections: [Connection] = []
    var diallingSince: Moment?
    /// Not dialled before this.
    var restsUntil: Moment?
    /// In a row.
    var failureCount = 0
    /// Whether the last attempt found no server.
    var isUnreachable = false
    /// Whether it showed a certificate that is not trusted.
    var isUntrusted = false
    /// Whether it says of itself that it does not serve.
    var isNotServing = false

    var isLive: Bool { !connections.isEmpty }
    func isResting(_ now: Moment) -> Bool { restsUntil.map { now < $0 } ?? false }
  }

  /// How long an address that says nothing holds up the next one.
  static let holdUp = Duration.milliseconds(250)
  /// A connection that lasted so long was none of a server that falls over at once.
  static let steadyAfter = Duration.seconds(5)

  let settings: Settings
  private var addresses: [Address]
  /// Where connections begin that are not in turn: the address that answered last.
  private var preferred = 0
  private var turn = 0
  /// The addresses that are to be dialled now.
  private var toDial: [Int] = []

  init(_ settings: Settings) {
    self.settings = settings
    addresses = Array(repeating: Address(), count: max(1, settings.addressCount))
  }

  // MARK: Calls

  /// Where a call goes. The addresses of `takeDials` are to be dialled after it.
  mutating func place(_ want: inout Want, now: Moment) -> Step {
    if addresses.count == 1, let place = addresses[0].connections.firstIndex(where: \.hasRoom) {
      return .use(take(0, place))
    }
    let order = order(&want)
    for isServing in [true, false] {
      let group = order.filter { addresses[$0].isNotServing != isServing }
      if let step = settings.isInTurn ? inTurn(group, now) : first(of: group, now) { return step }
    }
    return unreachable(want, now)
  }

  /// A connection for a call that was made already on those; nil where none has room. It is one to another
  /// address if there is one, else another connection, else the same. Nothing is dialled for it.
  mutating func placeBeside(_ used: [Int], now: Moment) -> Int? {
    var best: (address: Int, place: Int, rank: Int)?
    for address in addresses.indices where !addresses[address].isNotServing {
      let isUsed = addresses[address].connections.contains { used.contains($0.number) }
      for (place, connection) in addresses[address].connections.enumerated()
      where connection.hasRoom {
        let rank = !isUsed ? 0 : used.contains(connection.number) ? 2 : 1
        if best.map({ rank < $0.rank }) ?? true { best = (address, place, rank) }
      }
    }
    return best.map { take($0.address, $0.place) }
  }

  /// A place on one connection; false where it has none.
  mutating func take(on number: Int) -> Bool {
    guard let (address, place) = find(number), addresses[address].connections[place].hasRoom else {
      return false
    }
    _ = take(address, place)
    return true
  }

  mutating func callEnded(on number: Int) {
    guard let (address, place) = find(number) else { return }
    addresses[address].connections[place].callCount -= 1
  }

  /// The server has answered a call there.
  mutating func served(on number: Int) {
    guard let (address, place) = find(number) else { return }
    addresses[address].connections[place].hasServed = true
    addresses[address].failureCount = 0
  }

  /// What is to be dialled, once.
  mutating func takeDials() -> [Int] {
    defer { toDial = [] }
    return toDial
  }

  // MARK: Connections

  /// A server has answered at an address. False where the connection is not wanted: another server was faster.
  mutating func dialled(
    _ address: Int, number: Int, callCountMax: Int, now: Moment
  ) -> Bool {
    addresses[address].diallingSince = nil
    addresses[address].isUnreachable = false
    addresses[address].isUntrusted = false
    addresses[address].restsUntil = nil
    let isOvertaken = addresses.indices.contains { other in
      other != address && addresses[other].isLive && !addresses[other].isNotServing
    }
    if !settings.isInTurn, isOvertaken, !addresses[address].isLive { return false }
    addresses[address].connections.append(
      Connection(number: number, callCountMax: callCountMax, since: now))
    return true
  }

  mutating func dialFailed(
    _ address: Int, isUntrusted: Bool, now: Moment, jitter: Double
  ) {
    addresses[address].diallingSince = nil
    addresses[address].isUnreachable = true
    addresses[address].isUntrusted = isUntrusted
    rest(address, now, jitter)
  }

  /// A connection takes no more calls.
  mutating func retired(_ number: Int, now: Moment, jitter: Double) {
    guard let (address, place) = find(number) else { return }
    let connection = addresses[address].connections.remove(at: place)
    if !addresses[address].isLive { addresses[address].isNotServing = false }
    // A server that takes connections and drops them must not be stormed with them.
    let isSteady = connection.hasServed || connection.since + Self.steadyAfter <= now
    if isSteady { addresses[address].failureCount = 0 } else { rest(address, now, jitter) }
  }

  /// What the server at an address says of itself.
  mutating func says(isServing: Bool, address: Int) {
    addresses[address].isNotServing = !isServing && addresses[address].isLive
  }

  /// The address of a connection that takes calls, and the connections to it.
  func address(of number: Int) -> (index: Int, connections: [Int])? {
    find(number).map { ($0.address, addresses[$0.address].connections.map(\.number)) }
  }

  // MARK: Choosing

  private mutating func order(_ want: inout Want) -> [Int] {
    let first: Int
    if settings.isInTurn {
      first = want.turn ?? turn
      if want.turn == nil { turn = (turn + 1) % addresses.count }
      want.turn = first
    } else {
      first = preferred
    }
    return addresses.indices.map { ($0 + first) % addresses.count }
  }

  /// The first server that answers, and as long as it does.
  private mutating func first(of group: [Int], _ now: Moment) -> Step? {
    if let live = group.first(where: { addresses[$0].isLive }) {
      preferred = live
      if let place = addresses[live].connections.firstIndex(where: \.hasRoom) {
        return .use(take(live, place))
      }
      return .wait(until: dialMore(live, now))
    }
    for address in group {
      if let since = addresses[address].diallingSince {
        if now < since + Self.holdUp { return .wait(until: since + Self.holdUp) }
      } else if !addresses[address].isResting(now) {
        dial(address, now)
        return .wait(until: now + Self.holdUp)
      }
    }
    return nil
  }

  /// One server after the other. Those that do not answer are dialled beside.
  private mutating func inTurn(_ group: [Int], _ now: Moment) -> Step? {
    for address in group
    where !addresses[address].isLive && addresses[address].diallingSince == nil
      && !addresses[address].isResting(now)
    {
      dial(address, now)
    }
    for address in group {
      if let place = addresses[address].connections.firstIndex(where: \.hasRoom) {
        return .use(take(address, place))
      }
      if !addresses[address].isLive, !addresses[address].isUnreachable,
        let since = addresses[address].diallingSince, now < since + Self.holdUp
      {
        return .wait(until: since + Self.holdUp)
      }
    }
    let full = group.filter { addresses[$0].isLive }
    guard !full.isEmpty else { return nil }
    return .wait(until: full.compactMap { dialMore($0, now) }.min())
  }

  /// Another connection to an address whose connections are full, where it may have one; otherwise when to look
  /// again.
  private mutating func dialMore(
    _ address: Int, _ now: Moment
  ) -> Moment? {
    guard addresses[address].connections.count < settings.connectionCountMax,
      addresses[address].diallingSince == nil
    else { return nil }
    if addresses[address].isResting(now) { return addresses[address].restsUntil }
    dial(address, now)
    return nil
  }

  private func unreachable(_ want: Want, _ now: Moment) -> Step {
    let isDialling = addresses.contains { $0.diallingSince != nil }
    // A connection that was lost is made again by the call; a server that was not found is not waited for.
    let isToCome = addresses.contains {
      !$0.isUnreachable || want.waitsForServer && !$0.isUntrusted
    }
    guard isDialling || isToCome else { return .fail }
    return .wait(until: addresses.filter { $0.diallingSince == nil }.compactMap(\.restsUntil).min())
  }

  private mutating func dial(_ address: Int, _ now: Moment) {
    addresses[address].diallingSince = now
    toDial.append(address)
  }

  private mutating func rest(_ address: Int, _ now: Moment, _ jitter: Double) {
    addresses[address].failureCount += 1
    addresses[address].restsUntil =
      now
      + settings.backoff.backoff(
        beforeRetry: addresses[address].failureCount, jitter: jitter)
  }

  private mutating func take(_ address: Int, _ place: Int) -> Int {
    addresses[address].connections[place].callCount += 1
    return addresses[address].connections[place].number
  }

  private func find(_ number: Int) -> (address: Int, place: Int)? {
    for address in addresses.indices {
      let place = addresses[address].connections.firstIndex { $0.number == number }
      if let place { return (address, place) }
    }
    return nil
  }
}
