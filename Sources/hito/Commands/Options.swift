import ArgumentParser
import Console
import Foundation
import PostgresStore
import RPC
import Transport

/// How to reach a server; shared by every command that calls one.
struct ClientOptions: ParsableArguments {
  @Option(help: "Server, host:port. Environment: HITO_ADDRESS. Default: 127.0.0.1:7443.")
  var address: String?

  @Option(
    name: .customLong("ca"),
    help: ArgumentHelp(
      "PEM file of the authority to trust, or `system`. Environment: HITO_CA. Default: "
        + "tls/ca.pem of the data directory where it can be read, else the system's."))
  var authority: String?

  @Option(
    help: ArgumentHelp(
      "Bearer token. Environment: HITO_TOKEN, which other users of this machine cannot see. "
        + "Default: admin.token of the data directory where it can be read."))
  var token: String?

  @Option(help: "The server's data directory, where it is on this machine.")
  var dataDir: String?

  @Option(help: "The longest that the call may take, for example 500ms, 30s or 5m.")
  var timeout: DurationArgument?

  func settings() throws -> ClientSettings {
    let environment = ProcessInfo.processInfo.environment
    let directory = DataDirectory.resolve(requested: dataDir, environment: environment)
    return try ClientSettings(
      ClientSettings.Options(address: address, authorityFile: authority, token: token),
      environment: environment, dataDirectory: directory
    ) { path in try? String(contentsOfFile: path, encoding: .utf8) }
  }

  var callOptions: CallOptions { CallOptions(timeout: timeout?.duration) }
}

/// Which database a command works on directly.
struct DatabaseOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where everything is kept. Default: HITO_DATA_DIR, /var/lib/hito as root, else "
        + "~/.local/share/hito."))
  var dataDir: String?

  @Option(
    help: ArgumentHelp(
      "An external PostgreSQL instead of the embedded one. Environment: HITO_DATABASE_URL, "
        + "which other users of this machine cannot see."))
  var databaseURL: String?

  func target() throws -> DatabaseSession.Target {
    let environment = ProcessInfo.processInfo.environment
    if let url = databaseURL ?? environment["HITO_DATABASE_URL"], !url.isEmpty {
      return .external(url: url)
    }
    return .embedded(dataDirectory: try resolvedDataDirectory())
  }

  func resolvedDataDirectory() throws -> String {
    guard
      let directory = DataDirectory.resolve(
        requested: dataDir, environment: ProcessInfo.processInfo.environment)
    else { throw ValidationError("no data directory: give --data-dir or set HITO_DATA_DIR") }
    return URL(filePath: directory, directoryHint: .isDirectory).absoluteURL.path
  }
}

/// A length of time on the command line.
struct DurationArgument: ExpressibleByArgument, Sendable {
  var duration: Duration

  init(_ duration: Duration) {
    self.duration = duration
  }

  init?(argument: String) {
    guard let duration = DurationText.parse(argument) else { return nil }
    self.duration = duration
  }

  static var defaultCompletionKind: CompletionKind { .list(["30s", "5m", "1h", "90d"]) }
}
