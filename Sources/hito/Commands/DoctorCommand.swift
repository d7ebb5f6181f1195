import ArgumentParser
import Console
import Foundation
import PostgresStore

/// `hito doctor`: everything that goes wrong on a new machine.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check this machine, the data directory and the server.",
    discussion: """
      Changes nothing and starts nothing. Each line is ok, warn or fail, with what to do. Ends with
      1 when anything failed.
      """)

  @OptionGroup var client: ClientOptions

  @Option(help: "An external PostgreSQL to check. Environment: HITO_DATABASE_URL.")
  var databaseURL: String?

  @Option(help: "Where the lake is. Default: lake in the data directory.")
  var lakeDir: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    try await reporting {
      let environment = ProcessInfo.processInfo.environment
      var report = HealthReport()
      report.add(MachineChecks.processor())
      report.add(MachineChecks.libraries())
      let url = databaseURL ?? environment["HITO_DATABASE_URL"]
      if url?.isEmpty ?? true { report.add(MachineChecks.postgres(environment: environment)) }
      report.add(MachineChecks.encoder(environment: environment))
      let requested = DataDirectory.resolve(requested: client.dataDir, environment: environment)
      if let requested {
        let directory = URL(filePath: requested, directoryHint: .isDirectory).absoluteURL.path
        report.add(DirectoryChecks.dataDirectory(directory))
        if MachineChecks.canUseTLS {
          report.add(DirectoryChecks.certificates(in: "\(directory)/tls"))
        }
        report.add(DirectoryChecks.lake(lakeDir ?? "\(directory)/lake"))
        report.add(await ServerChecks.database(url: url, dataDirectory: directory))
      } else {
        report.add(
          .fail("data dir", "there is none: HOME is not set", "give --data-dir or HITO_DATA_DIR"))
      }
      await checkServer(&report)
      Output.text(json ? report.json.shown(.pretty) + "\n" : report.text)
      if report.hasFailed { throw ExitCode(ExitStatus.failure) }
    }
  }

  private func checkServer(_ report: inout HealthReport) async {
    guard MachineChecks.canUseTLS else {
      return report.add(
        .warn("server", "was not called: TLS cannot be trusted here", "mend libcrypto first"))
    }
    do {
      report.add(await ServerChecks.server(try client.settings()))
    } catch {
      report.add(.fail("client", "\(error)", "mend this setting; `hito config` shows them all"))
    }
  }
}
