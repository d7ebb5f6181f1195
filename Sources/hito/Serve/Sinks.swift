import Broker
import Domain
import EventLake
import EventLog
import Logging
import Retrieval

// How sinks are told of events: by the broker where there is one, else by the live end of the log in this
// process.

extension LakeSink {
  /// Has the sink told by the consumer, and the consumer of what the lake has.
  func follow(_ consumer: BrokerConsumer) {
    consumer.onDelivery { [weak self] position in self?.noticed(head: position) }
    onPublish { [weak consumer] position in consumer?.settled(through: position) }
  }
}

extension BrokerConsumer {
  /// How its connection is.
  var status: PublicationStatus {
    let connection = connection
    return PublicationStatus(
      condition: connection.condition, since: connection.since,
      unconfirmedCount: Int64(connection.unsettledCount), lastError: connection.lastError)
  }
}

extension PipelineState {
  /// How far a lake is.
  static func lake(
    _ lake: ParquetEventLake, _ sink: LakeSink, told consumer: BrokerConsumer?
  ) -> PipelineState {
    PipelineState(
      name: "lake", position: lake.publishedPosition,
      detail: lake.damaged.isEmpty ? "" : "\(lake.damaged.count) damaged files",
      lastError: sink.lastFailure ?? "", publication: consumer?.status)
  }

  /// How far the order of the log is known here.
  static func relay(_ relay: EventRelay) -> PipelineState {
    let status = relay.status
    return PipelineState(
      name: "relay", position: status.position,
      detail: status.isLeading ? "orders the log" : "follows the server that orders the log",
      lastError: status.lastError ?? "")
  }

  /// How far the vectors are.
  static func embeddings(
    _ worker: EmbeddingWorker, told consumer: BrokerConsumer?
  ) -> PipelineState {
    PipelineState(
      name: EmbeddingWorker.pipelineName, position: worker.position,
      lastError: worker.lastError ?? "", publication: consumer?.status)
  }
}

extension BrokerConsumer? {
  /// What the consumer is told of; without one, what this process hears itself.
  func live(else hub: EventHub) -> any LiveLog {
    if let self { DeliveredLog(self) } else { hub }
  }
}

extension EmbeddingWorker {
  /// Has the consumer told of what was embedded. The worker itself hears of it by its `DeliveredLog`.
  func settle(_ consumer: BrokerConsumer) {
    onAdvance { [weak consumer] position in consumer?.settled(through: position) }
  }
}
