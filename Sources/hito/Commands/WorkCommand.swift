import ArgumentParser
import Domain
import Logging
import PostgresStore
import ServiceLifecycle

/// `hito work`: a process that does work of a deployment's servers, and takes no calls.
struct WorkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "work",
    abstract: "Do work of a deployment's servers, on a machine of its own.",
    usage: "hito work --roles <roles> --database-url <url> [<option> ...]",
    discussion: HelpText.prose(
      """
      Roles, with commas between them: `relay` orders events and publishes them to the broker, one process
      of a deployment at a time; `lake` writes the lake; `embedder` makes vectors; `validate` runs learners'
      code, so that it need not run beside the servers. What is done here can be left out of a server by
      `hito serve --relay-here no`, `--lake-here no`, `--embed-here no` and `--validate-here no`.

      Ends on SIGTERM or SIGINT: validations that run may end within --grace, the lake is completed, and
      what is left is another worker's.
      """))

  @Option(help: ArgumentHelp("What to do, separated by commas.", valueName: "roles"))
  var roles = "validate"
  @Option(
    help: ArgumentHelp("How long what runs may still run after SIGTERM.", valueName: "seconds"))
  var grace = 30.0
  @OptionGroup(title: "Places") var place: SettingOptions<PlaceSettings>
  @OptionGroup(title: "Validation") var validation: SettingOptions<ValidationSettings>
  @OptionGroup(title: "Database") var database: SettingOptions<DatabaseSettings>
  @OptionGroup(title: "Lake") var lake: SettingOptions<LakeSettings>
  @OptionGroup(title: "Message broker") var broker: SettingOptions<BrokerSettings>
  @OptionGroup(title: "Embedding model") var embedding: SettingOptions<EmbeddingSettings>

  func validate() throws {
    let names = roles.split(separator: ",")
    for name in names where WorkRole(rawValue: String(name)) == nil {
      let known = WorkRole.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("there is no role '\(name)': a worker can \(known)")
    }
    guard !names.isEmpty else { throw ValidationError("--roles must name a role") }
    guard (0...3600).contains(grace) else { throw ValidationError("--grace must be 0 to 3600") }
  }

  func run() async throws {
    let settings = Settings([place, validation, database, lake, broker, embedding])
    try await reporting { try settings.check() }
    LogFormat.text.install(level: .info)
    let roles = Set(roles.split(separator: ",").compactMap { WorkRole(rawValue: String($0)) })
    try await reporting {
      try await DatabaseSession.with(settings) { session in
        try await Worker(
          roles: roles, grace: .seconds(grace), settings: settings,
          connection: ConnectionSettings(conninfo: session.application)
        ).run()
      }
    }
  }
}
