import ArgumentParser
import HitoClient

/// `hito groups`: consumer groups.
struct GroupsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "groups",
    abstract: "Show, make and delete consumer groups, and what they have parked.",
    discussion: HelpText.prose(
      """
      A consumer group hands events out to services that share the work. Events that nobody could settle
      are parked: look at them, then replay or skip them.

        hito groups create mailer --type goal.completed
        hito groups show mailer
        hito groups parked mailer
        hito groups replay mailer EVENT…
      """),
    subcommands: [
      GroupsListCommand.self, GroupsShowCommand.self, GroupsCreateCommand.self,
      GroupsDeleteCommand.self, GroupsParkedCommand.self, GroupsReplayCommand.self,
      GroupsSkipCommand.self, GroupsConsumeCommand.self,
    ], defaultSubcommand: GroupsListCommand.self)

  fileprivate static func stateText(_ group: ConsumerGroup) -> String {
    switch group.state {
    case .caughtUp: "caught up"
    case .behind: "behind"
    case .outstandingFull: "full: too much is not settled"
    case .parkedFull: "stands still: too much is parked"
    case .eventsArchived: "stands still: needs the lake of another server"
    default: "?"
    }
  }
}

/// `hito groups list`
struct GroupsListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the groups and how far they are.")

  @OptionGroup var client: ClientOptions

  func run() async throws {
    try await reporting(client) { server in
      var table = TextTable(
        ["GROUP", "STATE", "LAG", "WAITING", "HELD", "PARKED", "CONSUMERS"],
        rightColumns: [2, 3, 4, 5, 6])
      var request = ListConsumerGroupsRequest()
      repeat {
        let page = try await server.events.listConsumerGroups(request)
        for group in page.groups {
          table.add([
            group.name, GroupsCommand.stateText(group), "\(group.lag)", "\(group.waitingCount)",
            "\(group.heldCount)", "\(group.parkedCount)", "\(group.consumerCount)",
          ])
        }
        request.afterName = page.nextName
      } while !request.afterName.isEmpty
      Output.text(table.text)
    }
  }
}

/// `hito groups show`
struct GroupsShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a group and its consumers.")

  @OptionGroup var client: ClientOptions

  @Argument(help: "The group.")
  var name: String

  func run() async throws {
    try await reporting(client) { server in
      let reply = try await server.events.getConsumerGroup(GetConsumerGroupRequest(name: name))
      let group = reply.group ?? ConsumerGroup()
      var table = TextTable(["", ""], rightColumns: [1])
      for (title, value) in [
        ("state", GroupsCommand.stateText(group)), ("not looked at", "\(group.lag)"),
        ("waiting", "\(group.waitingCount)"), ("held", "\(group.heldCount)"),
        ("parked", "\(group.parkedCount)"),
        ("strategy", group.strategy == .pinned ? "pinned" : "round robin"),
        ("attempts", "\(group.maxAttempts)"),
        ("time to settle", "\(Double(group.ackTimeoutUs) / 1_000_000) s"),
      ] { table.add([title, value]) }
      Output.text(table.text)
      if !reply.consumers.isEmpty {
        var consumers = TextTable(["CONSUMER", "SERVER", "HELD"], rightColumns: [2])
        for consumer in reply.consumers {
          consumers.add([consumer.name, consumer.serverId, "\(consumer.heldCount)"])
        }
        Output.text(consumers.text)
      }
      Output.note("settled up to \(group.settledCursor)")
    }
  }
}

/// `hito groups create`
struct GroupsCreateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a group.")

  @OptionGroup var client: ClientOptions

  @Argument(help: "Its name: a-z, 0-9, - and _.")
  var name: String

  @Option(
    help: "Only these types (goal.created) or kinds (goal.*) (repeatable).",
    completion: .list(EventTypeOption.names))
  var type: [String] = []

  @Option(help: "Only of these courses and what belongs to them (repeatable).")
  var course: [String] = []

  @Option(help: "Only of these users (repeatable).")
  var user: [String] = []

  @Flag(help: "The events of one entity one at a time, in order.")
  var pinned = false

  @Option(help: "Where it begins: beginning, now, or a cursor.")
  var from = "beginning"

  @Option(help: "How often an event is tried before it is parked.")
  var attempts: Int32 = 0

  @Option(help: "How many seconds a consumer has to settle an event.")
  var settleSeconds: Double = 0

  /// Longer than a group may say; what is too long for it the server says.
  private static let settleSecondsMax = 1e9

  func validate() throws {
    try EventTypeOption.check(type)
    guard (0...Self.settleSecondsMax).contains(settleSeconds) else {
      throw ValidationError("--settle-seconds must be a number of seconds, 0 or more")
    }
  }

  func run() async throws {
    try await reporting(client) { server in
      let filter = EventFilter(userIds: user, courseIds: course, types: type)
      let group = ConsumerGroup(
        name: name, filter: filter, strategy: pinned ? .pinned : .roundRobin,
        maxAttempts: attempts, ackTimeoutUs: Int64(settleSeconds * 1_000_000))
      let cursor = from == "beginning" || from == "now" ? "" : from
      let reply = try await server.events.createConsumerGroup(
        CreateConsumerGroupRequest(group: group, afterCursor: cursor, fromNow: from == "now"))
      Output.note("made the group \(reply.group?.name ?? name)")
    }
  }
}

/// `hito groups delete`
struct GroupsDeleteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a group and all that it holds.")

  @OptionGroup var client: ClientOptions

  @Argument(help: "The group.")
  var name: String

  func run() async throws {
    try await reporting(client) { server in
      _ = try await server.events.deleteConsumerGroup(DeleteConsumerGroupRequest(name: name))
      Output.note("deleted the group \(name)")
    }
  }
}

/// `hito groups parked`
struct GroupsParkedCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parked", abstract: "List what a group has parked, oldest first.")

  @OptionGroup var client: ClientOptions

  @Argument(help: "The group.")
  var name: String

  func run() async throws {
    try await reporting(client) { server in
      var table = TextTable(["EVENT", "ATTEMPTS", "WHY"], rightColumns: [1])
      var request = ListParkedEventsRequest(group: name, pageSize: 200)
      repeat {
        let page = try await server.events.listParkedEvents(request)
        for event in page.events { table.add([event.eventId, "\(event.attempts)", event.reason]) }
        request.afterCursor = page.nextCursor
      } while !request.afterCursor.isEmpty
      Output.text(table.text)
    }
  }
}

/// Which of a group's parked events are meant.
struct ParkedEvents: ParsableArguments {
  @Argument(help: "The group.")
  var group: String

  @Argument(help: "The events; none means all.")
  var events: [String] = []
}

/// `hito groups replay`
struct GroupsReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Send parked events again.")

  @OptionGroup var client: ClientOptions
  @OptionGroup var parked: ParkedEvents

  func run() async throws {
    try await reporting(client) { server in
      let reply = try await server.events.replayParked(
        ReplayParkedRequest(group: parked.group, eventIds: parked.events))
      Output.note("\(reply.replayed) events are sent again")
    }
  }
}

/// `hito groups skip`
struct GroupsSkipCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skip", abstract: "Take parked events out: they are done.")

  @OptionGroup var client: ClientOptions
  @OptionGroup var parked: ParkedEvents

  func run() async throws {
    try await reporting(client) { server in
      let reply = try await server.events.skipParked(
        SkipParkedRequest(group: parked.group, eventIds: parked.events))
      Output.note("\(reply.skipped) events are taken out")
    }
  }
}
