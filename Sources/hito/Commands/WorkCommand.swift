import ArgumentParser
import Domain
import Logging
import PostgresStore
import Service
import ServiceLifecycle

/// `hito work`: a process that does work of a deployment's servers, and takes no calls.
struct WorkCommand: AsyncParsableCommand {
  /// What a worker does.
  enum Role: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// Runs learners' code.
    case validate
  }

  static let configuration = CommandConfiguration(
    commandName: "work",
    abstract: "Run learners' code for the servers of a deployment, on a machine of its own.",
    usage: "hito work --roles validate --database-url <url> [<option> ...]",
    discussion: """
      Takes validations from the database that the servers use, so that untrusted code need not run
      beside them (`hito serve --validate-here no`). Ends on SIGTERM or SIGINT: no more are taken, those
      that run may end within --grace, and what is left then is another worker's.
      """)

  @Option(help: ArgumentHelp("What to do, separated by commas.", valueName: "roles"))
  var roles = "validate"
  @Option(
    help: ArgumentHelp("How long what runs may still run after SIGTERM.", valueName: "seconds"))
  var grace = 30.0
  @OptionGroup(title: "Places") var place: SettingOptions<PlaceSettings>
  @OptionGroup(title: "Validation") var validation: SettingOptions<ValidationSettings>
  @OptionGroup(title: "Database") var database: SettingOptions<DatabaseSettings>

  func validate() throws {
    for role in roles.split(separator: ",") where Role(rawValue: String(role)) == nil {
      throw ValidationError("there is no role '\(role)': a worker can \(Role.validate.rawValue)")
    }
    guard !roles.isEmpty else { throw ValidationError("--roles must name a role") }
    guard (0...3600).contains(grace) else { throw ValidationError("--grace must be 0 to 3600") }
  }

  func run() async throws {
    let settings = Settings([place, validation, database])
    try await reporting { try settings.check() }
    LogFormat.text.install(level: .info)
    try await reporting {
      try await DatabaseSession.with(settings) { session in
        try await work(settings, session)
      }
    }
  }

  private func work(_ settings: Settings, _ session: DatabaseSession) async throws {
    let logger = Logger(label: "hito")
    var pool = PostgresDatabase.Configuration(conninfo: session.application)
    var options = ValidationSettings.options(settings)
    let (clock, ids) = (SystemTime(), UUIDv7Generator())
    options.owner = "worker " + ids.next(at: clock.now()).description
    // One for each validation, and some for the queue.
    pool.connectionCount = min(40, options.slotCount + 2)
    pool.logger = Logger(label: "hito.postgres")
    let database = PostgresDatabase(pool)
    try await database.check()
    let validators = Validators(runsHere: true, slotCount: options.slotCount)
    let worker = ValidationWorker(
      users: PostgresUserRepository(database), goals: PostgresGoalRepository(database),
      snapshots: PostgresSnapshotRepository(database), writes: PostgresWriteStore(database),
      ports: validators.ports(database), options: options, clock: clock, ids: ids,
      // The servers look for what was committed elsewhere.
      committed: {})
    logger.notice(
      "working", metadata: ["roles": "\(roles)", "slots": "\(options.slotCount)"])
    try await ServiceGroup(
      configuration: .init(
        services: [
          .init(service: DatabaseService(database: database)),
          .init(service: SandboxService(sandbox: validators.sandbox)),
          .init(
            service: ValidationService(worker: worker, grace: .seconds(grace)),
            successTerminationBehavior: .gracefullyShutdownGroup),
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    ).run()
  }
}
