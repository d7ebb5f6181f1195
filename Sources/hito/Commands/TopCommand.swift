import ArgumentParser
import DescriptorJSON
import HitoClient
import JSON

/// `hito top`: what a server does, as it does it.
struct TopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Watch what a server is busy with.",
    discussion: HelpText.prose(
      """
      Methods with their rates and latencies, calls under way and what they wait for, connections, pipelines,
      and the last slow calls. For admins. Keys: r rate, t time, p p99, e errors, o open, n name, q quit.

        hito top
        hito top --once --sort p99
        hito top --json
      """))

  @OptionGroup var client: ClientOptions

  @Option(help: "Order of the methods: rate, time, p99, errors, open or name.")
  var sort: TopOrder = .rate

  @Option(help: "Time between two looks, for example 500ms or 5s.")
  var interval = DurationArgument(.seconds(1))

  @Flag(help: "Print once, after one interval, and end; so too where there is no terminal.")
  var once = false

  @Flag(help: "One JSON object, as in the contract, of one look.")
  var json = false

  func run() async throws {
    try await reporting(client.place, client.client) { settings in
      let access = try ServerAccess(settings)
      let server = try access.client(compresses: client.compress)
      defer { server.close() }
      do {
        if json { return try await printJSON(of: server) }
        let width = TerminalSize.columns()
        if once || width == nil { return try await printOnce(server, access.name, width) }
        try await show(server, access)
      } catch let error as RPCError {
        throw CommandFailure(
          ErrorText.describe(error, access: access), exitStatus: ErrorText.exitStatus(of: error))
      }
    }
  }

  /// A look may not take longer than people wait for it.
  private var options: CallOptions {
    var options = client.callOptions
    if options.timeout == nil { options.timeout = .seconds(5) }
    return options
  }

  private func printJSON(of server: HitoClient) async throws {
    let sample = try await TopSample.take(of: server, options)
    let schema = try Schema.own()
    var members: [(key: String, value: JSONValue)] = [
      ("statistics", try schema.json(sample.statistics)),
      ("connections", try schema.json(sample.connections)),
      ("calls", try schema.json(sample.calls)),
    ]
    if let pipelines = sample.pipelines {
      members.append(("pipelines", try schema.json(pipelines)))
    }
    Output.line(JSONValue.object(members).shown(.pretty))
  }

  private func printOnce(_ server: HitoClient, _ address: String, _ width: Int?) async throws {
    let first = try await TopSample.take(of: server, options)
    try await Task.sleep(for: interval.duration)
    let second = try await TopSample.take(of: server, options)
    let text = TopText(
      change: TopChange(second, before: first, order: sort), order: sort, address: address,
      width: width, height: nil, style: .ofStandardOutput)
    for line in text.lines { Output.line(line) }
  }

  /// Until it is interrupted or `q` is typed.
  private func show(_ server: HitoClient, _ access: ServerAccess) async throws {
    // Who may not look is told so on the usual screen.
    let first = try await TopSample.take(of: server, options)
    let view = LiveTop(
      server: server, access: access, options: options, interval: interval.duration, order: sort,
      sample: first)
    let drawing = Task {
      var view = view
      try await view.run()
    }
    let interrupt = Interrupt { drawing.cancel() }
    defer { interrupt.stop() }
    try await drawing.value
  }
}

extension TopOrder: ExpressibleByArgument {}
