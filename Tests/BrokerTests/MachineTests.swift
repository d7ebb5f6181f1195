import Domain
import Testing

@testable import Broker

/// What is acknowledged, and when.
@Suite struct DeliveryLedgerTests {
  typealias Acknowledgement = DeliveryLedger.Acknowledgement

  @Test func whatIsSettledInOrderIsAcknowledgedTogether() {
    var ledger = DeliveryLedger()
    for position in 1...5 as ClosedRange<Int64> {
      ledger.delivered(tag: UInt64(position) + 10, position: position)
    }
    #expect(ledger.settled(through: 0) == [])
    #expect(ledger.settled(through: 3) == [Acknowledgement(tag: 13, isMultiple: true)])
    #expect(ledger.settled(through: 3) == [])
    #expect(ledger.count == 2)
  }

  @Test func whatCameInAnotherOrderIsAcknowledgedOneByOne() {
    var ledger = DeliveryLedger()
    for (index, position) in [4, 9, 5, 2, 8].enumerated() as EnumeratedSequence<[Int64]> {
      ledger.delivered(tag: UInt64(index) + 1, position: position)
    }
    #expect(
      ledger.settled(through: 5) == [
        Acknowledgement(tag: 1, isMultiple: true), Acknowledgement(tag: 3, isMultiple: false),
        Acknowledgement(tag: 4, isMultiple: false),
      ])
    #expect(ledger.settled(through: 9) == [Acknowledgement(tag: 5, isMultiple: true)])
    #expect(ledger.count == 0)
  }
}

/// How soon a broker that is away is asked again.
@Suite struct ReconnectMachineTests {
  @Test func pausesGrowUpToTheirLimitAndBeginAnewAfterAConnectionThatHeld() {
    var machine = ReconnectMachine()
    let start = ContinuousClock.now
    let pauses = (0..<12).map { _ in machine.lost(at: start, chance: 1) }
    #expect(pauses[0] == .milliseconds(200) && pauses[1] == .milliseconds(400))
    #expect(pauses.last == machine.delayMax)
    machine.connected(at: start)
    #expect(machine.lost(at: start + .seconds(1), chance: 1) == machine.delayMax, "it did not hold")
    machine.connected(at: start)
    #expect(machine.lost(at: start + .seconds(60), chance: 1) == .milliseconds(200))
  }

  @Test func chanceSpreadsThemOverHalfOfTheirLength() {
    var one = ReconnectMachine()
    var other = one
    let now = ContinuousClock.now
    #expect(one.lost(at: now, chance: 0) == .milliseconds(100))
    #expect(other.lost(at: now, chance: 0.5) == .milliseconds(150))
  }
}

/// `amqp://user:password@host:port/vhost`.
@Suite struct BrokerAddressTests {
  @Test func everyPartHasItsPlaceAndItsDefault() throws {
    let whole = try #require(BrokerAddress("amqps://an%40a:p%2Fw%3A@mq.example.org:5999/le%2Farn"))
    #expect(whole.usesTLS && whole.host == "mq.example.org" && whole.port == 5999)
    #expect(whole.user == "an@a" && whole.password == "p/w:" && whole.virtualHost == "le/arn")
    let short = try #require(BrokerAddress("amqp://localhost"))
    #expect(short.port == 5672 && short.user == "guest" && short.virtualHost == "/")
    #expect(BrokerAddress("amqps://localhost")?.port == 5671)
    #expect(BrokerAddress("amqp://a:b@[::1]:5672/%2F")?.host == "::1")
    #expect(BrokerAddress("amqp://a:b@[::1]")?.port == 5672)
  }

  @Test(
    arguments: [
      "", "localhost", "http://localhost", "amqp://", "amqp://:5672", "amqp://host:0",
      "amqp://host:65536", "amqp://host:x", "amqp://user@host", "amqp://:word@host",
      "amqp://a:b%@host", "amqp://a:b%zz@host", "amqp://a:b%00c@host", "amqp://host/a%0Ab",
      "amqp://ho st", "amqp://host/%ff", "amqp://" + String(repeating: "x", count: 2000),
    ])
  func anythingElseIsNone(url: String) { #expect(BrokerAddress(url) == nil) }

  @Test func itIsShownWithoutTheLogin() {
    let shown = BrokerAddress("amqp://ana:geheim@host/v")?.description
    #expect(shown == "amqp://host:5672")
  }
}

/// Names on the broker.
@Suite struct BrokerTopologyTests {
  @Test func queuesAreNamedAfterTheExchange() {
    #expect(BrokerTopology.standard.lake.name == "hito.lake")
    #expect(BrokerTopology(exchange: "acme.events")?.embedder.name == "acme.embedder")
    #expect(BrokerTopology(exchange: "acme")?.unrouted.name == "acme.unrouted")
    #expect(BrokerTopology.standard == BrokerTopology(exchange: "hito.events"))
  }

  @Test(arguments: ["", "amq.topic", "a b", "ñ", String(repeating: "x", count: 101), "a/b", "#"])
  func otherNamesAreRefused(name: String) { #expect(BrokerTopology(exchange: name) == nil) }
}
