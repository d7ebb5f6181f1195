import NIOCore
import SeededRandom
import Testing

@testable import Transport

@Suite struct ConnectionAdmissionTests {
  private let here = AddressGroup.ipv4(1)
  private let there = AddressGroup.ipv4(2)

  private func admission(_ countMax: Int, perAddress: Int? = nil) -> ConnectionAdmission {
    ConnectionAdmission(.init(countMax: countMax, perAddressMax: perAddress ?? countMax))
  }

  @Test func `W1.5 a newcomer takes the place of the oldest that never authenticated`() {
    var admission = admission(8)
    for id in 1...4 as ClosedRange<UInt64> {
      #expect(admission.arrived(id, from: here) == .admit)
    }
    #expect(admission.arrived(5, from: here) == .replace(1))
    #expect(admission.arrived(6, from: there) == .replace(2))
    #expect(admission.count == 4)
  }

  @Test func `W1.5 half of the places are for those that authenticated`() {
    var admission = admission(8)
    for id in 1...8 as ClosedRange<UInt64> {
      #expect(admission.arrived(id, from: here) == .admit)
      admission.authenticated(id)
    }
    #expect(admission.arrived(9, from: here) == .refuse)
    admission.left(3)
    #expect(admission.arrived(9, from: here) == .admit)
    // All places are taken, by one that has not authenticated too.
    #expect(admission.arrived(10, from: here) == .replace(9))
  }

  @Test func `the silent and the greeted do not push each other out`() {
    var admission = admission(8)
    for id in 1...2 as ClosedRange<UInt64> {
      #expect(admission.arrived(id, from: here) == .admit)
      admission.greeted(id)
    }
    for id in 3...4 as ClosedRange<UInt64> {
      #expect(admission.arrived(id, from: here) == .admit)
    }
    // A flood of silent ones replaces silent ones only.
    for id in 5...50 as ClosedRange<UInt64> {
      #expect(admission.arrived(id, from: here) == .replace(id - 2))
    }
    // And who greets is not replaced by the next silent one, but by those that greet later.
    admission.greeted(50)
    #expect(admission.arrived(51, from: here) == .replace(1))
    #expect(admission.arrived(52, from: here) == .replace(49))
  }

  @Test func `a full address makes room among its own, and others do not feel it`() {
    var admission = admission(100, perAddress: 3)
    for id in 1...3 as ClosedRange<UInt64> {
      #expect(admission.arrived(id, from: here) == .admit)
    }
    #expect(admission.arrived(4, from: there) == .admit)
    admission.authenticated(1)
    #expect(admission.arrived(5, from: here) == .replace(2))
    admission.authenticated(3)
    admission.authenticated(5)
    #expect(admission.arrived(6, from: here) == .refuse)
    #expect(admission.arrived(7, from: there) == .admit)
    admission.left(5)
    #expect(admission.arrived(8, from: here) == .admit)
  }

  @Test func `what ends twice or was replaced is counted once`() {
    var admission = admission(4)
    #expect(admission.arrived(1, from: here) == .admit)
    #expect(admission.arrived(2, from: here) == .admit)
    #expect(admission.arrived(3, from: here) == .replace(1))
    admission.left(1)
    admission.greeted(1)
    admission.authenticated(1)
    #expect(admission.count == 2)
    admission.left(2)
    admission.left(2)
    #expect(admission.count == 1)
    #expect(admission.publicStreamOpened(on: 1) == false)
  }

  @Test func `W13.5 public streams are counted per connection and per address`() {
    var limits = ConnectionAdmission.Limits(countMax: 100, perAddressMax: 100)
    limits.publicStreamsPerConnectionMax = 2
    limits.publicStreamsPerAddressMax = 3
    var admission = ConnectionAdmission(limits)
    for id in 1...3 as ClosedRange<UInt64> {
      #expect(admission.arrived(id, from: here) == .admit)
    }
    _ = admission.arrived(4, from: there)
    #expect(admission.publicStreamOpened(on: 1) == true)
    #expect(admission.publicStreamOpened(on: 1) == true)
    #expect(admission.publicStreamOpened(on: 1) == false)
    #expect(admission.publicStreamOpened(on: 2) == true)
    #expect(admission.publicStreamOpened(on: 3) == false)
    #expect(admission.publicStreamOpened(on: 4) == true)
    admission.publicStreamClosed(on: 1)
    #expect(admission.publicStreamOpened(on: 3) == true)
    // A connection that ends gives back what it had.
    admission.left(1)
    #expect(admission.publicStreamOpened(on: 3) == true)
    #expect(admission.publicStreamOpened(on: 2) == false)
  }

  /// Whatever comes and goes: the bounds hold, and nobody who authenticated is replaced.
  @Test func `random peers stay within the bounds`() {
    for seed in 0..<200 as Range<UInt64> {
      var random = SeededGenerator(state: seed)
      var admission = admission(12, perAddress: 5)
      var stages: [UInt64: (address: AddressGroup, isAuthenticated: Bool)] = [:]
      for id in 1...300 as ClosedRange<UInt64> {
        let address = AddressGroup.ipv4(.random(in: 0..<4, using: &random))
        switch admission.arrived(id, from: address) {
        case .admit: stages[id] = (address, false)
        case .replace(let oldest):
          #expect(stages.removeValue(forKey: oldest)?.isAuthenticated == false)
          stages[id] = (address, false)
        case .refuse:
          let full = stages.values.filter { $0.address == address }
          #expect(stages.count == 12 || full.count == 5)
          let replaceable = (full.count == 5 ? full : Array(stages.values)).filter {
            !$0.isAuthenticated
          }
          #expect(replaceable.isEmpty)
        }
        if let chosen = stages.keys.sorted().randomElement(using: &random) {
          switch UInt8.random(in: 0..<4, using: &random) {
          case 0: admission.greeted(chosen)
          case 1:
            admission.authenticated(chosen)
            stages[chosen]?.isAuthenticated = true
          case 2:
            admission.left(chosen)
            stages[chosen] = nil
          default: break
          }
        }
        #expect(admission.count == stages.count && stages.count <= 12)
        let unauthenticatedCount = stages.values.count { !$0.isAuthenticated }
        #expect(unauthenticatedCount <= 6)
        let ofOneAddress = Dictionary(grouping: stages.values) { $0.address }.values.map(\.count)
          .max()
        #expect(ofOneAddress ?? 0 <= 5)
      }
    }
  }
}

@Suite struct ArrivalQueueTests {
  @Test func `the oldest is the first that has not left`() {
    var queue = ArrivalQueue()
    #expect(queue.oldest() == nil)
    for id in 1...1000 as ClosedRange<UInt64> { queue.append(id) }
    for id in 1...999 as ClosedRange<UInt64> where id != 500 { queue.remove(id) }
    #expect(queue.oldest() == 500)
    #expect(queue.count == 2)
    queue.remove(500)
    queue.remove(500)
    #expect(queue.oldest() == 1000)
    queue.remove(1000)
    #expect(queue.oldest() == nil && queue.count == 0)
    queue.append(1001)
    #expect(queue.oldest() == 1001)
  }
}

@Suite struct AddressGroupTests {
  private func group(_ address: String) throws -> AddressGroup {
    AddressGroup(try SocketAddress(ipAddress: address, port: 1))
  }

  @Test func `IPv4 addresses count by themselves, IPv6 ones by their network of 64 bits`() throws {
    #expect(try group("192.0.2.1") == group("192.0.2.1"))
    #expect(try group("192.0.2.1") != group("192.0.2.2"))
    #expect(try group("2001:db8:1:2::1") == group("2001:db8:1:2:ffff::2"))
    #expect(try group("2001:db8:1:2::1") != group("2001:db8:1:3::1"))
    #expect(try group("::ffff:192.0.2.1") == group("192.0.2.1"))
    #expect(try group("::1") != group("127.0.0.1"))
    #expect(AddressGroup(nil) == .local)
  }
}

@Suite struct AcceptMachineTests {
  @Test func `accepting pauses at the bound and continues when a socket has closed`() {
    var machine = AcceptMachine(socketCountMax: 2)
    #expect(machine.accepted() == .nothing)
    #expect(machine.accepted() == .pause)
    // The rest of a round of accepting.
    #expect(machine.accepted() == .nothing)
    #expect(machine.closed() == .nothing)
    #expect(machine.closed() == .resume)
    #expect(machine.closed() == .nothing)
    #expect(machine.socketCount == 0)
  }

  @Test func `accepting rests once after it failed, however often it fails`() {
    var machine = AcceptMachine(socketCountMax: 2)
    #expect(machine.accepted() == .nothing)
    #expect(machine.failed() == .rest)
    #expect(machine.failed() == .nothing)
    #expect(machine.closed() == .nothing)
    #expect(machine.rested() == .resume)
    #expect(machine.failed() == .rest)
    #expect(machine.accepted() == .nothing)
    #expect(machine.accepted() == .nothing)
    // Full by now: it stays paused until a socket closes.
    #expect(machine.rested() == .nothing)
    #expect(machine.closed() == .resume)
  }
}
