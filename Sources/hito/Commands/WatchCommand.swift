import ArgumentParser
import DescriptorJSON
import Dispatch
import Foundation
import HitoClient

/// `hito watch`: events as they happen.
struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Watch events as they happen.",
    discussion: HelpText.prose(
      """
      When the connection is lost or the server restarts, watching continues by itself where it
      stopped: nothing is skipped or shown twice. Ctrl-C ends it and says how to continue later.

        hito watch
        hito watch --goal 0197… --from beginning
        hito watch --type 'goal.*' --type task.completed --json
        hito watch --from 2026-01-31T09:00:00Z
      """))

  @OptionGroup var client: ClientOptions

  @Option(help: "Only of these users (repeatable).")
  var user: [String] = []

  @Option(help: "Only of these goals and their tasks (repeatable).")
  var goal: [String] = []

  @Option(help: "Only of these tasks (repeatable).")
  var task: [String] = []

  @Option(help: "Only of these courses and what belongs to them (repeatable).")
  var course: [String] = []

  @Option(
    help: "Only these types (goal.created) or kinds (goal.*) (repeatable).",
    completion: .list(EventTypeOption.names))
  var type: [String] = []

  @Option(help: "Where to start: now, beginning, a time such as 2026-01-31T09:05:00Z, or a cursor.")
  var from = "now"

  @Option(help: "End after so many events.")
  var limit: Int?

  @Flag(help: "One JSON object a line, as in the contract (WatchResponse).")
  var json = false

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
    try EventTypeOption.check(type)
  }

  func run() async throws {
    try await reporting(client) { server in
      let schema = json ? try Schema.own() : nil
      let watch = server.watch(request, options: client.watchOptions)
      let task = Task { try await follow(watch, schema) }
      let interrupt = Interrupt { task.cancel() }
      defer { interrupt.stop() }
      let cursor = try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
      if let cursor { Output.note("\nto continue from here: hito watch --from \(cursor)") }
    }
  }

  /// Shows what comes; returns with the cursor after which to continue when it is interrupted, which
  /// is the way to end this.
  private func follow(_ watch: ResumingWatch, _ schema: Schema?) async throws -> String? {
    var responses = watch.makeAsyncIterator()
    do {
      try await showAll(&responses, schema)
      return nil
    } catch  where Task.isCancelled {
      return responses.cursor
    }
  }

  /// Until there are as many as are wanted.
  private func showAll(
    _ responses: inout ResumingWatch.Iterator, _ schema: Schema?
  ) async throws {
    var count = 0
    while let response = try await responses.next() {
      show(response, schema)
      if case .event = response.step { count += 1 }
      if count == limit { return }
    }
  }

  private func show(_ response: WatchResponse, _ schema: Schema?) {
    if let schema {
      if let node = try? schema.json(response) { Output.line(node.shown()) }
      return
    }
    switch response.step {
    case .event(let event): Output.line(EventText.line(event, .ofStandardOutput))
    case .mark(let mark): if let line = EventText.line(mark) { Output.note(line) }
    case nil: break
    }
  }

  private var request: WatchRequest {
    let filter = EventFilter(
      userIds: user, goalIds: goal, taskIds: task, courseIds: course, types: type)
    return WatchRequest(
      filter: filter == EventFilter() ? nil : filter, start: WatchStart.parse(from))
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
