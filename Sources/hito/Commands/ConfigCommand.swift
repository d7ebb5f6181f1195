import ArgumentParser

/// `hito config`: the settings in force, and where each comes from.
struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Show the settings in force, and where they come from.",
    usage: "hito config [<option> ...]",
    discussion: HelpText.prose(
      """
      Secrets are not shown. Options of this command win, as in all others: `hito config` with the
      options of `hito serve` shows what that server would use. Ends with 64 when a setting is
      wrong, after saying what is.
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
  @OptionGroup(title: "Client") var client: SettingOptions<ClientSettings>

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print the table of all settings that stands in docs/settings.md.")
  var markdown = false

  func run() async throws {
    try await reporting {
      if markdown { return Output.text(SettingsTable.markdown) }
      let settings = Settings([
        place, server, network, quotas, retention, validation, work, database, lake,
        broker, telemetry, model, embedding, client,
      ])
      if json {
        Output.line(SettingsTable.json(settings).shown(.pretty))
      } else {
        Output.text(SettingsTable.text(settings))
      }
      for warning in settings.warnings { Output.note("warning: \(warning)") }
      try settings.check()
      _ = try ServerAccess(settings)
    }
  }
}
