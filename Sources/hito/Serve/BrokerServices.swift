import Broker
import ServiceLifecycle

/// Publishes the log; at the end another server can continue from where it is, at once.
struct PublisherService: ServiceLifecycle.Service {
  let publisher: BrokerPublisher

  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await publisher.run() }
    } catch is CancellationError {
      // How it ends that has no other end.
    }
    await publisher.handOver()
  }
}
