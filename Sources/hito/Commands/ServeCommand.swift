import ArgumentParser
import Logging

/// `hito serve`: the server itself.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run the server.",
    usage: "hito serve [<option> ...]",
    discussion: HelpText.prose(
      """
      Without options the server keeps everything in its data directory: its own PostgreSQL, the
      lake, a development certificate and a first admin token (admin.token). It ends on SIGTERM or
      SIGINT: calls under way may finish, streams are told where to continue.

      Each option is also a variable of the environment (--log-level: HITO_LOG_LEVEL) and a key of
      a TOML file (log-level). Keys of models are secrets, and have no option: `hito config` shows
      all settings, and docs/settings.md explains them.
      """))

  @OptionGroup(title: "Places") var place: SettingOptions<PlaceSettings>
  @OptionGroup(title: "Server") var server: SettingOptions<ServerSettings>
  @OptionGroup(title: "Connections") var network: SettingOptions<NetworkSettings>
  @OptionGroup(title: "Quotas") var quotas: SettingOptions<QuotaSettings>
  @OptionGroup(title: "Retention") var retention: SettingOptions<RetentionSettings>
  @OptionGroup(title: "Validation") var validation: SettingOptions<ValidationSettings>
  @OptionGroup(title: "Work") var work: SettingOptions<WorkSettings>
  @OptionGroup(title: "Database") var database: SettingOptions<DatabaseSettings>
  @OptionGroup(title: "Lake") var lake: SettingOptions<LakeSettings>
  @OptionGroup(title: "Message broker") var broker: SettingOptions<BrokerSettings>
  @OptionGroup(title: "Telemetry") var telemetry: SettingOptions<TelemetrySettings>
  @OptionGroup(title: "Language model") var model: SettingOptions<ModelSettings>
  @OptionGroup(title: "Embedding model") var embedding: SettingOptions<EmbeddingSettings>

  func run() async throws {
    let settings = Settings([
      place, server, network, quotas, retention, validation, work, database, lake,
      broker, telemetry, model, embedding,
    ])
    try await reporting {
      try settings.check()
    }
    let chosen = ServerSettings()
    settings[chosen.logFormat].install(level: settings[chosen.logLevel].level)
    var program = try ServerProgram(settings, logger: Logger(label: "hito"))
    try await program.run()
  }
}
