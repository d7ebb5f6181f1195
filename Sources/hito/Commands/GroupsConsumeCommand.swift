import ArgumentParser
import HitoClient

/// `hito groups consume`
struct GroupsConsumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consume",
    abstract: "Consume a group: show each event, and settle it.",
    discussion: HelpText.prose(
      """
      What is shown is done: no other consumer gets it. Ctrl-C ends it; what was not shown comes to others.
      """))

  @OptionGroup var client: ClientOptions

  @Argument(help: "The group.")
  var name: String

  @Option(help: "The consumer's name.")
  var consumer = ""

  func run() async throws {
    try await reporting(client) { server in
      var options = ConsumeOptions()
      options.consumer = consumer
      let (name, started) = (name, options)
      let task = Task {
        try await server.consume(group: name, options: started) { consumed in
          Output.line(EventText.line(consumed.event, .ofStandardOutput))
          return .ack
        }
      }
      let interrupt = Interrupt { task.cancel() }
      defer { interrupt.stop() }
      do {
        try await task.value
      } catch  where task.isCancelled {
        return
      }
    }
  }
}
