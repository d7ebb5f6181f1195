import ArgumentParser
import PostgresStore

/// `hito migrate`: the schema of the database.
struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Show and change the version of the database's schema.",
    discussion: HelpText.prose(
      """
      `hito serve` brings the schema up to date by itself at each start. These are for databases of
      your own, and for the way back to an older version of Hito.
      """),
    subcommands: [
      MigrateStatusCommand.self, MigrateUpCommand.self, MigrateToCommand.self,
    ], defaultSubcommand: MigrateStatusCommand.self)
}

/// `hito migrate status`
struct MigrateStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "List the migrations and when they were applied.")

  @OptionGroup var database: DatabaseOptions

  func run() async throws {
    try await database.open { session in
      var table = TextTable(["VERSION", "NAME", "APPLIED"], rightColumns: [0])
      let status = try await session.migrator.status()
      for migration in status {
        table.add(["\(migration.version)", migration.name, migration.appliedAt ?? "pending"])
      }
      Output.text(table.text)
      let pending = status.count { $0.appliedAt == nil }
      if pending > 0 { Output.note("\(pending) pending: `hito migrate up` applies them") }
    }
  }
}

/// `hito migrate up`
struct MigrateUpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up", abstract: "Apply what is missing.")

  @OptionGroup var database: DatabaseOptions

  func run() async throws {
    try await database.open { session in
      MigrateCommand.tell(
        try await BusyLine.during("migrating") { try await session.migrator.up() })
    }
  }
}

/// `hito migrate to`
struct MigrateToCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "to",
    abstract: "Go up or down to a version; 0 is the empty schema.",
    discussion:
      "Going down takes tables and columns away, with what is in them: make a backup first.")

  @OptionGroup var database: DatabaseOptions

  @Argument(help: "The version.")
  var version: Int

  @Flag(help: "Go down without a question.")
  var yes = false

  func run() async throws {
    try await database.open { session in
      let above = try await session.migrator.status().filter {
        $0.version > version && $0.appliedAt != nil
      }
      guard above.isEmpty || yes else {
        let names = above.map(\.name).joined(separator: ", ")
        throw CommandFailure(
          "going down would take back \(names), with the data; say --yes if you mean it",
          exitStatus: ExitStatus.usage)
      }
      MigrateCommand.tell(
        try await BusyLine.during("migrating") { try await session.migrator.migrate(to: version) })
    }
  }
}

extension MigrateCommand {
  fileprivate static func tell(_ versions: [Int]) {
    Output.note(
      versions.isEmpty
        ? "nothing to do" : "done: \(versions.map(String.init).joined(separator: ", "))")
  }
}
