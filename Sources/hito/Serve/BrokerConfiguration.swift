import Broker
import Domain
import EventLog
import Logging
import PostgresStore

/// A broker, as the settings name it.
struct BrokerConfiguration: Sendable {
  private let address: BrokerAddress
  private let authorityFile: String?
  private let topology: BrokerTopology
  private let prefetch: Int
  private let bodyByteCountMax: Int

  /// Nil where none is named.
  ///
  /// - Parameter settings: checked ones, with the broker's group.
  init?(_ settings: Settings) {
    let group = BrokerSettings()
    guard let address = settings[group.brokerURL] else { return nil }
    self.address = address
    authorityFile = settings[group.brokerCA]
    topology = settings[group.brokerExchange]
    prefetch = settings[group.brokerPrefetch]
    bodyByteCountMax = settings[group.brokerMessageBytes]
  }

  private func target(_ role: String) -> BrokerTarget {
    BrokerTarget(address: address, authorityFile: authorityFile, name: "hito \(role)")
  }

  /// - Parameter log: with the archive, where there is one.
  func publisher(
    _ database: PostgresDatabase, log: any EventLog, hub: EventHub, owner: EntityID,
    time: any TimeSource
  ) -> BrokerPublisher {
    var configuration = BrokerPublisher.Configuration(
      target: target("publisher"), topology: topology)
    configuration.bodyByteCountMax = bodyByteCountMax
    return BrokerPublisher(
      configuration, store: PostgresPublicationStore(database), log: log, live: hub,
      liveEpoch: { hub.history.current.id }, owner: owner, time: time,
      logger: Logger(label: "hito.broker"))
  }

  /// Whose queues Hito's own consumers have.
  enum Sink: String {
    case lake
    case embedder
  }

  func consumer(_ sink: Sink, logID: EntityID, time: any TimeSource) -> BrokerConsumer {
    let queue =
      switch sink {
      case .lake: topology.lake
      case .embedder: topology.embedder
      }
    var configuration = BrokerConsumer.Configuration(
      target: target(sink.rawValue), topology: topology, queue: queue)
    configuration.prefetch = prefetch
    return BrokerConsumer(
      configuration, logID: logID, time: time, logger: Logger(label: "hito.broker"))
  }

  /// Why the broker does not let us in; nil where it does.
  func problem() async -> BrokerError? { await BrokerProbe.problem(of: target("doctor")) }

  /// How far the log is published, by this server or another.
  func publication(_ database: PostgresDatabase) async throws(StoreError) -> Publication? {
    try await PostgresPublicationStore(database).publication(topology.exchange)
  }
}
