import ArgumentParser

/// `hito doctor`: everything that goes wrong on a new machine.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check this machine, the data directory and the server.",
    discussion: HelpText.prose(
      """
      Changes nothing, and leaves nothing running. Each line is ok, warn or fail, with what to do. Ends with
      1 when anything failed.
      """))

  @OptionGroup(title: "Places") var place: SettingOptions<PlaceSettings>
  @OptionGroup(title: "Client") var client: SettingOptions<ClientSettings>
  @OptionGroup(title: "Connections") var network: SettingOptions<NetworkSettings>
  @OptionGroup(title: "Server") var server: SettingOptions<ServerSettings>
  @OptionGroup(title: "Validation") var validation: SettingOptions<ValidationSettings>
  @OptionGroup(title: "Database") var database: SettingOptions<DatabaseSettings>
  @OptionGroup(title: "Lake") var lake: SettingOptions<LakeSettings>
  @OptionGroup(title: "Message broker") var broker: SettingOptions<BrokerSettings>
  @OptionGroup(title: "Language model") var model: SettingOptions<ModelSettings>
  @OptionGroup(title: "Embedding model") var embedding: SettingOptions<EmbeddingSettings>

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    try await reporting {
      let settings = Settings(
        [
          place, client, network, server, validation, database, lake, broker, model, embedding,
        ])
      var report = HealthReport()
      report.add(Self.findings(about: settings))
      report.add(MachineChecks.processor())
      report.add(MachineChecks.libraries())
      report.add(
        MachineChecks.descriptors(
          wanted: settings[NetworkSettings().connections],
          databaseConnectionCount: settings[ServerSettings().databaseConnections],
          slotCount: settings[ValidationSettings().validationSlots] ?? 1))
      let url = settings[DatabaseSettings().databaseURL]
      let timeZones = settings.timeZones
      report.add(MachineChecks.timeZones(timeZones))
      if url == nil {
        report.add(MachineChecks.postgres(candidates: settings.postgresCandidates))
      }
      report.add(
        await BusyLine.during("trying the sandbox and the tools of all languages") {
          await MachineChecks.codeValidation()
        })
      report.add(MachineChecks.encoder(candidates: settings.embedderCandidates))
      report.add(ModelChecks.endpoints(settings))
      if let directory = settings.dataDirectory {
        report.add(DirectoryChecks.dataDirectory(directory))
        if MachineChecks.canUseTLS {
          report.add(DirectoryChecks.certificates(in: "\(directory)/tls"))
        }
        let lakeFolder = settings[LakeSettings().lakeDir] ?? "\(directory)/lake"
        report.add(DirectoryChecks.lake(lakeFolder))
        report.add(
          await ServerChecks.database(
            url: url, dataDirectory: directory, lake: lakeFolder, timeZones: timeZones.names))
      } else {
        report.add(
          .fail("data dir", "there is none: HOME is not set", "give --data-dir or HITO_DATA_DIR"))
      }
      if let broker = BrokerConfiguration(settings) {
        report.add(await ServerChecks.broker(broker))
      }
      await checkServer(settings, &report)
      Output.text(
        json
          ? report.json.shown(.pretty) + "\n"
          : report.text(.ofStandardOutput, columns: TerminalSize.columns()))
      if report.hasFailed { throw ExitCode(ExitStatus.failure) }
    }
  }

  private static func findings(about settings: Settings) -> [HealthReport.Finding] {
    var findings = settings.warnings.map { warning in
      HealthReport.Finding.warn("settings", warning, "`hito config` shows all that there are")
    }
    do {
      try settings.check()
    } catch {
      findings += error.problems.map { problem in
        .fail("settings", problem, "mend it; `hito config` shows them all")
      }
    }
    return findings
  }

  private func checkServer(_ settings: Settings, _ report: inout HealthReport) async {
    guard MachineChecks.canUseTLS else {
      return report.add(
        .warn("server", "was not called: TLS cannot be trusted here", "mend libcrypto first"))
    }
    do {
      report.add(await ServerChecks.server(try ServerAccess(settings)))
    } catch {
      report.add(.fail("client", "\(error)", "mend this setting; `hito config` shows them all"))
    }
  }
}
