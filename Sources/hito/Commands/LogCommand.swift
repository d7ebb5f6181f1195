import ArgumentParser
import PostgresStore

/// `hito log`: which log the database holds, and where its history may have been cut.
struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log",
    abstract: "Show the log's identity, floor and epochs, and begin an epoch.",
    discussion: HelpText.prose(
      """
      An epoch begins wherever the database may have lost its last events: after a failover, a
      recovery to a point in time, a restored backup. Cursors of clients that have seen lost events
      are refused with where to resume. Servers notice all of these by themselves, but for a backup
      that was put back together with everything that could tell.
      """),
    subcommands: [LogStatusCommand.self, LogForkCommand.self, LogReleaseCommand.self],
    defaultSubcommand: LogStatusCommand.self)

  fileprivate static func show(_ epochs: [PostgresInstallation.Epoch]) {
    var table = TextTable(["EPOCH", "AFTER", "BEGAN", "WHY"], rightColumns: [0, 1])
    for epoch in epochs {
      table.add(["\(epoch.number)", "\(epoch.beganAfter)", epoch.beganAt, epoch.why])
    }
    Output.text(table.text)
  }
}

/// `hito log status`
struct LogStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the log's id, what of it is where, and its epochs.")

  @OptionGroup var database: DatabaseOptions

  func run() async throws {
    try await database.open { session in
      let settings = ConnectionSettings(conninfo: session.owner)
      let history = try await PostgresInstallation.history(settings)
      Output.note("log \(history.logID)")
      let places = try await PostgresInstallation.places(settings)
      Output.note("\(places.head) events, of which \(places.storedCount) are in the database")
      if places.floor != "0" {
        let owner = places.lakeID.isEmpty ? "no lake" : "the lake \(places.lakeID)"
        Output.note(
          "floor \(places.floor): up to there they are in the lake alone; moved \(places.movedAt), and "
            + "\(owner) takes more")
      }
      LogCommand.show(try await PostgresInstallation.epochs(settings))
    }
  }
}

/// `hito log fork`
struct LogForkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fork",
    abstract: "Begin an epoch at the end of the log: it has lost events.",
    discussion: HelpText.prose(
      """
      For a backup that was restored without anything that could notice it. Run it before the servers
      start: what they write before counts as the history from before. It does no harm where nothing
      was lost.
      """))

  @OptionGroup var database: DatabaseOptions

  @Option(help: "Why, for who looks at the epochs later.")
  var why = "an operator said so"

  func run() async throws {
    try await database.open { session in
      let why = why
      let history = try await session.withDatabase { database in
        try await PostgresEventLog(database).declareFork(why: why)
      }
      Output.note(
        "epoch \(history.epochs.count) begins after position \(history.current.beganAfter)")
    }
  }
}

/// `hito log release`
struct LogReleaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Let the lake of another server take events out of the database.",
    discussion: HelpText.prose(
      """
      For a server that went away for good, with `event-days` set on another one whose lake has every
      event that has left: that one takes over. Nothing is removed by this.
      """))

  @OptionGroup var database: DatabaseOptions

  func run() async throws {
    try await database.open { session in
      try await PostgresInstallation.releaseFloor(ConnectionSettings(conninfo: session.owner))
      Output.note("the next server with `event-days` and a whole lake takes events out")
    }
  }
}
