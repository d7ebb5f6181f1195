import ArgumentParser
import Console
import Contract
import DescriptorJSON
import Dispatch
import Foundation
import RPC
import Synchronization

/// `hito watch`: events as they happen.
struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Watch events as they happen.",
    discussion: """
      When the connection is lost or the server restarts, watching goes on by itself where it
      stopped: nothing is skipped or shown twice. Ctrl-C ends it and says how to go on later.

        hito watch
        hito watch --goal 0197… --from beginning
        hito watch --type 'goal.*' --type task.completed --json
        hito watch --from 2026-01-31T09:00:00Z
      """)

  @OptionGroup var client: ClientOptions

  @Option(help: "Only of these users (repeatable).")
  var user: [String] = []

  @Option(help: "Only of these goals and their tasks (repeatable).")
  var goal: [String] = []

  @Option(help: "Only of these tasks (repeatable).")
  var task: [String] = []

  @Option(help: "Only of these courses and what belongs to them (repeatable).")
  var course: [String] = []

  @Option(help: "Only these types (goal.created) or kinds (goal.*) (repeatable).")
  var type: [String] = []

  @Option(help: "Where to start: now, beginning, a time such as 2026-01-31T09:05:00Z, or a cursor.")
  var from = "now"

  @Option(help: "End after so many events.")
  var limit: Int?

  @Flag(help: "One JSON object a line, as in the contract (WatchResponse).")
  var json = false

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
  }

  func run() async throws {
    try await reporting(client) { settings in
      let session = try ServerSession(settings)
      let watcher = Watcher(
        client: ProgressServiceClient(session.transport), options: client.callOptions,
        request: request, limit: limit, schema: json ? try ServerSession.ownSchema() : nil)
      let task = Task { try await watcher.run() }
      let interrupt = Interrupt { task.cancel() }
      defer { interrupt.stop() }
      do {
        try await withTaskCancellationHandler {
          try await task.value
        } onCancel: {
          task.cancel()
        }
      } catch  where task.isCancelled {
        // Ctrl-C is the way to end this.
      }
      if limit == nil, let cursor = watcher.cursor {
        Output.note("\nto go on from here: hito watch --from \(cursor)")
      }
    }
  }

  private var request: WatchRequest {
    let filter = EventFilter(
      userIds: user, goalIds: goal, taskIds: task, courseIds: course, types: type)
    return WatchRequest(
      filter: filter == EventFilter() ? nil : filter, start: WatchStart.parse(from))
  }
}

/// Keeps a subscription alive and shows what comes.
private final class Watcher: Sendable {
  private let client: ProgressServiceClient
  private let options: CallOptions
  private let limit: Int?
  private let schema: Schema?
  private let machine: Mutex<WatchMachine>

  init(
    client: ProgressServiceClient, options: CallOptions, request: WatchRequest, limit: Int?,
    schema: Schema?
  ) {
    self.client = client
    self.options = options
    self.limit = limit
    self.schema = schema
    machine = Mutex(WatchMachine(request))
  }

  var cursor: String? { machine.withLock { $0.cursor } }

  func run() async throws {
    var count = 0
    while true {
      var failure: RPCError?
      do throws(RPCError) {
        let stream = try await client.watch(machine.withLock { $0.request }, options: options)
        var responses = stream.makeAsyncIterator()
        while let response = try await responses.next() {
          machine.withLock { $0.received(response) }
          show(response)
          if case .event = response.step { count += 1 }
          if count == limit { return stream.cancel() }
        }
      } catch {
        failure = error
      }
      try Task.checkCancellation()
      let step = machine.withLock { $0.ended(failure, jitter: .random(in: 0...1)) }
      switch step {
      case .giveUp: throw failure ?? RPCError(.unavailable, "the server ended the stream")
      case .reconnect(let delay):
        Output.note("-- \(failure.map { "\($0)" } ?? "the server ended the stream"); reconnecting")
        try await Task.sleep(for: delay)
      }
    }
  }

  private func show(_ response: WatchResponse) {
    if let schema {
      if let node = try? schema.json(response) { Output.line(node.shown()) }
      return
    }
    switch response.step {
    case .event(let event): Output.line(EventText.line(event))
    case .mark(let mark): if let line = EventText.line(mark) { Output.note(line) }
    case nil: break
    }
  }
}

/// Calls back at Ctrl-C and SIGTERM, the first time; the second ends the program at once.
struct Interrupt {
  private let sources: [any DispatchSourceSignal]

  init(_ body: @escaping @Sendable () -> Void) {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        signal(number, SIG_DFL)
        body()
      }
      source.resume()
      return source
    }
  }

  func stop() {
    for source in sources { source.cancel() }
  }
}
