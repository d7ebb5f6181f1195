import ArgumentParser
import BenchmarkSupport
import HitoClient
import Synchronization

/// `make bench-groups`: how fast a consumer group hands out events and takes their settlements, beside a plain
/// watch of the same events.
@main
struct GroupsBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "groups", abstract: "Measures consumer groups: events settled per second.")

  @OptionGroup var options: ServerOptions

  @Option(help: "How many events there are.")
  var events = 20_000

  @Option(help: "How many consumers share them.")
  var consumers = 4

  @Option(help: "How many events a consumer has at a time.")
  var buffer: Int32 = 200

  @Option(help: "How often each is measured; medians are reported.")
  var rounds = 3

  func validate() throws {
    guard (500...1_000_000).contains(events), (1...100).contains(consumers),
      (1...1000).contains(buffer), (1...20).contains(rounds)
    else { throw ValidationError("--events, --consumers, --buffer or --rounds is out of range") }
  }

  func run() async throws {
    let rates = try await BenchServer.run(program: options.program) { server in
      try await measure(on: server)
    }
    for (name, values) in rates.sorted(by: { $0.key < $1.key }) {
      say("\(name): \(values.map(number).joined(separator: ", ")) events/s")
    }
    var report = Report()
    for (name, source) in [
      ("groups.events_per_second", "round_robin"), ("groups.pinned_events_per_second", "pinned"),
      ("groups.watched_events_per_second", "watch"),
    ] {
      report.figures.append(
        Figure(name, Samples(rates[source] ?? []).median, unit: "events/s"))
    }
    try report.finish()
  }

  /// Events per second of each round, by what was done with them.
  private func measure(on server: BenchServer) async throws -> [String: [Double]] {
    let client = try await server.connect(token: try server.adminToken())
    defer { client.close() }
    try await publish(client)
    var rates: [String: [Double]] = [:]
    for round in 1...rounds {
      let shared = try await settle("round-robin-\(round)", .roundRobin, on: server)
      let pinned = try await settle("pinned-\(round)", .pinned, on: server)
      let watched = try await watch(client)
      rates["round_robin", default: []].append(shared)
      rates["pinned", default: []].append(pinned)
      rates["watch", default: []].append(watched)
    }
    return rates
  }

  /// Events of two hundred subjects.
  private func publish(_ client: HitoClient) async throws {
    for start in stride(from: 0, to: events, by: 500) {
      let batch = (start..<min(start + 500, events)).map { number in
        ExternalEvent(
          type: "external.received", payloadJson: #"{"points": 12, "text": "Aprender FastAPI"}"#,
          externalId: "\(number)", source: "bench", subject: "s\(number % 200)")
      }
      _ = try await client.events.publishEvents(PublishEventsRequest(events: batch))
    }
  }

  private static let filter = EventFilter(types: ["external.*"])

  private func settle(
    _ name: String, _ strategy: GroupStrategy, on server: BenchServer
  ) async throws -> Double {
    let admin = try await server.connect(token: try server.adminToken())
    defer { admin.close() }
    let group = ConsumerGroup(
      name: name, filter: Self.filter, strategy: strategy, outstandingMax: 10_000)
    _ = try await admin.events.createConsumerGroup(CreateConsumerGroupRequest(group: group))
    var clients: [HitoClient] = []
    defer { for client in clients { client.close() } }
    for _ in 0..<consumers {
      clients.append(try await server.connect(token: try server.adminToken()))
    }
    let (count, bufferSize, connected) = (events, buffer, clients)
    let settled = Counter()
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in connected {
        group.addTask { try await Self.consume(client, name, bufferSize, settled) }
      }
      group.addTask {
        while settled.count < count {
          guard ContinuousClock.now - start < .seconds(120) else {
            throw BenchmarkError("the events were not settled within two minutes")
          }
          try await _Concurrency.Task.sleep(for: .milliseconds(2))
        }
      }
      // The consumers never end.
      try await group.next()
      group.cancelAll()
    }
    return Double(events) / (ContinuousClock.now - start).inSeconds
  }

  /// Settles at once whatever comes.
  private static func consume(
    _ client: HitoClient, _ group: String, _ bufferSize: Int32, _ settled: Counter
  ) async throws {
    let call = try await client.events.consume()
    defer { call.cancel() }
    try await call.write(
      ConsumeRequest(step: .join(JoinGroup(group: group, bufferSize: bufferSize))))
    var responses = call.responses.makeAsyncIterator()
    while let response = try await responses.next() {
      if let answer = response.settled { settled.add(answer.eventIds.count) }
      if let event = response.event {
        let settle = Settle(eventIds: [event.id], action: .ack)
        try await call.write(ConsumeRequest(step: .settle(settle)))
      }
    }
  }

  private func watch(_ client: HitoClient) async throws -> Double {
    let start = ContinuousClock.now
    let stream = try await client.progress.watch(
      WatchRequest(filter: Self.filter, start: .fromBeginning(true)))
    var count = 0
    for try await response in stream {
      if case .event = response.step { count += 1 }
      if count == events { break }
    }
    stream.cancel()
    return Double(events) / (ContinuousClock.now - start).inSeconds
  }
}

/// What all consumers have settled.
private final class Counter: Sendable {
  private let value = Mutex(0)

  var count: Int { value.withLock { $0 } }
  func add(_ count: Int) { value.withLock { $0 += count } }
}
