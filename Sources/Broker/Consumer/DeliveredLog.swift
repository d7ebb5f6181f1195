package import Domain
import Synchronization

/// The live end of the log as a queue of the broker tells of it. For one that waits at a time.
package final class DeliveredLog: LiveLog {
  private let consumer: BrokerConsumer
  private let signal = WakeSignal()

  package init(_ consumer: BrokerConsumer) {
    self.consumer = consumer
    consumer.onDelivery { [signal] _ in signal.ring() }
  }

  package var head: Int64? { consumer.delivered }

  package var isDraining: Bool { false }

  /// None is held here.
  package func events(after position: Int64, limit: Int) -> LiveEvents {
    (head ?? 0) > position ? .gone : .empty
  }

  package func wait(after position: Int64) async {
    guard (head ?? 0) <= position else { return }
    await signal.wait()
  }
}
