internal import Wire

/// Which connections a server keeps: so many in all, so many of an address, and at most half for peers
/// that never authenticated, so that there is always room for those that did.
///
///     arrived --HELLO--> greeted --a token or certificate was accepted--> authenticated
///        |                  |
///        +--- replaced -----+   when there is no room: the oldest of the larger of both groups
///
/// Where there is no room a newcomer takes the place of a peer that has not authenticated yet, never of
/// one that has: silent connections cannot keep others out, and a newcomer has as long to authenticate
/// as a quarter of the places takes to fill. The groups protect each other: those that stay silent
/// cannot push out those that use what needs no token, nor the other way round.
///
/// Also counts the streams that need no token (W13.5).
struct ConnectionAdmission: Sendable {
  struct Limits: Sendable, Hashable {
    var countMax: Int
    var perAddressMax: Int
    var publicStreamsPerConnectionMax = WireLimit.publicStreamsPerConnectionMax
    var publicStreamsPerAddressMax = WireLimit.publicStreamsPerAddressMax

    var unauthenticatedMax: Int { max(1, countMax / 2) }
  }

  enum Decision: Sendable, Hashable {
    case admit
    /// Admit, and close this one, whose place it takes.
    case replace(UInt64)
    case refuse
  }

  private enum Stage: Sendable {
    case arrived
    case greeted
    case authenticated
  }

  private struct Entry: Sendable {
    let address: AddressGroup
    var stage = Stage.arrived
    var publicStreamCount = 0
  }

  private struct Address: Sendable {
    var count = 0
    var unauthenticated = ArrivalQueue()
    var publicStreamCount = 0
  }

  private let limits: Limits
  private var entries: [UInt64: Entry] = [:]
  private var addresses: [AddressGroup: Address] = [:]
  private var arrived = ArrivalQueue()
  private var greeted = ArrivalQueue()

  init(_ limits: Limits) {
    self.limits = limits
  }

  var count: Int { entries.count }

  // MARK: Connections

  /// A connection was accepted. Ids are never used again.
  mutating func arrived(_ id: UInt64, from address: AddressGroup) -> Decision {
    var decision = Decision.admit
    if hasNoRoom(for: address) {
      guard let oldest = replaceable(for: address) else { return .refuse }
      decision = .replace(oldest)
      left(oldest)
    }
    entries[id] = Entry(address: address)
    addresses[address, default: Address()].count += 1
    addresses[address]?.unauthenticated.append(id)
    arrived.append(id)
    return decision
  }

  private func hasNoRoom(for address: AddressGroup) -> Bool {
    isFull(address) || entries.count >= limits.countMax
      || arrived.count + greeted.count >= limits.unauthenticatedMax
  }

  private func isFull(_ address: AddressGroup) -> Bool {
    addresses[address].map { $0.count >= limits.perAddressMax } ?? false
  }

  /// Who makes room: at an address that is full one of its own.
  private mutating func replaceable(for address: AddressGroup) -> UInt64? {
    if isFull(address) { return addresses[address]?.unauthenticated.oldest() }
    return arrived.count >= greeted.count ? arrived.oldest() : greeted.oldest()
  }

  /// The peer has said HELLO.
  mutating func greeted(_ id: UInt64) {
    guard entries[id]?.stage == .arrived else { return }
    entries[id]?.stage = .greeted
    arrived.remove(id)
    greeted.append(id)
  }

  /// A token or a certificate of the peer was accepted.
  mutating func authenticated(_ id: UInt64) {
    guard let entry = entries[id], entry.stage != .authenticated else { return }
    entries[id]?.stage = .authenticated
    arrived.remove(id)
    greeted.remove(id)
    addresses[entry.address]?.unauthenticated.remove(id)
  }

  /// A connection ends; nothing happens where it has ended before.
  mutating func left(_ id: UInt64) {
    guard let entry = entries.removeValue(forKey: id) else { return }
    arrived.remove(id)
    greeted.remove(id)
    guard var address = addresses.removeValue(forKey: entry.address) else { return }
    address.count -= 1
    address.unauthenticated.remove(id)
    address.publicStreamCount -= entry.publicStreamCount
    if address.count > 0 { addresses[entry.address] = address }
  }

  // MARK: Public streams

  /// A peer that has not authenticated opens a stream that needs no token: whether it may.
  mutating func publicStreamOpened(on id: UInt64) -> Bool {
    guard let entry = entries[id], let address = addresses[entry.address],
      entry.publicStreamCount < limits.publicStreamsPerConnectionMax,
      address.publicStreamCount < limits.publicStreamsPerAddressMax
    else { return false }
    entries[id]?.publicStreamCount += 1
    addresses[entry.address]?.publicStreamCount += 1
    return true
  }

  /// A stream that was let in has ended.
  mutating func publicStreamClosed(on id: UInt64) {
    guard let entry = entries[id], entry.publicStreamCount > 0 else { return }
    entries[id]?.publicStreamCount -= 1
    addresses[entry.address]?.publicStreamCount -= 1
  }
}
