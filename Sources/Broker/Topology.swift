/// The names on the broker, all from that of the exchange: `hito.events`, `hito.lake`, `hito.embedder`,
/// `hito.unrouted`.
package struct BrokerTopology: Sendable, Hashable {
  private static let ownLengthMax: Int64 = 1_000_000
  private static let unroutedLengthMax: Int64 = 10_000

  package let exchange: String
  private let prefix: String

  /// That of the exchange `hito.events`.
  package static let standard = BrokerTopology(exchange: "hito.events", prefix: "hito")

  private init(exchange: String, prefix: String) {
    self.exchange = exchange
    self.prefix = prefix
  }

  /// - Parameter exchange: letters, digits, `.`, `-` and `_`, 1 to 100 of them; nil for others.
  package init?(exchange: String) {
    let isName = exchange.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isName, (1...100).contains(exchange.utf8.count), !exchange.hasPrefix("amq.") else {
      return nil
    }
    let suffix = ".events"
    self.init(
      exchange: exchange,
      prefix: exchange.hasSuffix(suffix) && exchange != suffix
        ? String(exchange.dropLast(suffix.count)) : exchange)
  }

  /// Takes what no queue takes, so that it can be seen.
  var unrouted: BrokerQueue {
    BrokerQueue(name: "\(prefix).unrouted", lengthMax: Self.unroutedLengthMax, isForOne: false)
  }

  /// Tells the lake of events. One lake is told: of several, the next one when that is gone.
  package var lake: BrokerQueue {
    BrokerQueue(name: "\(prefix).lake", lengthMax: Self.ownLengthMax, isForOne: true)
  }

  /// Tells embedders of events, each of some.
  package var embedder: BrokerQueue {
    BrokerQueue(name: "\(prefix).embedder", lengthMax: Self.ownLengthMax, isForOne: false)
  }

  /// What a publisher needs, made where it is missing.
  func declare(on connection: BrokerConnection) throws(BrokerError) {
    try connection.declareExchange(unrouted.name, type: "fanout")
    try connection.declareQueue(unrouted)
    try connection.bind(unrouted.name, to: unrouted.name, key: "")
    try connection.declareExchange(exchange, type: "topic", alternate: unrouted.name)
  }

  /// What a consumer of `queue` needs, made where it is missing.
  func declare(_ queue: BrokerQueue, on connection: BrokerConnection) throws(BrokerError) {
    try declare(on: connection)
    try connection.declareQueue(queue)
    try connection.bind(queue.name, to: exchange, key: "#")
  }
}
