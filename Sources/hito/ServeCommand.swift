import ArgumentParser
import Foundation
import Logging
import PostgresStore

/// `hito serve`: the server itself.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run the server.",
    discussion: """
      Without options the server keeps everything in its data directory: its own PostgreSQL, the
      lake, a development certificate and a first admin token (admin.token). It ends on SIGTERM or
      SIGINT: calls under way may finish, streams are told where to go on.
      """)

  @Option(
    help:
      "Where everything is kept. Default: HITO_DATA_DIR, /var/lib/hito as root, else ~/.local/share/hito."
  )
  var dataDir: String?

  @Option(help: "Address to listen on; port 0 lets the system choose. Environment: HITO_LISTEN.")
  var listen: String?

  @Option(help: "Write host:port to this file once the server takes calls.")
  var portFile: String?

  @Option(
    help:
      "An external PostgreSQL (15 or later, pgvector 0.8 or later) instead of the embedded one. Environment: HITO_DATABASE_URL."
  )
  var databaseURL: String?

  @Option(help: "Connections to the database for short statements.")
  var databaseConnections = 32

  @Option(help: "Where the lake's Parquet files are kept. Default: lake in the data directory.")
  var lakeDir: String?

  @Option(
    help:
      "PEM file of the server's certificate chain; without it a development certificate is made.")
  var tlsCert: String?

  @Option(help: "PEM file of the certificate's key.")
  var tlsKey: String?

  @Option(help: "PEM file of the authority of client certificates; asks clients for one.")
  var tlsClientCA: String?

  @Option(help: "Another name or address of this host in the development certificate; repeatable.")
  var hostName: [String] = []

  @Option(help: "Event loop threads. Default: one per core.")
  var threads: Int?

  @Option(help: "Seconds that calls may go on after SIGTERM.")
  var grace: Double = 10

  @Option(help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel: LogLevel = .info

  @Option(help: "text or json.")
  var logFormat: LogFormat = .text

  func validate() throws {
    if (tlsCert == nil) != (tlsKey == nil) {
      throw ValidationError("--tls-cert and --tls-key go together")
    }
    guard (1...40).contains(databaseConnections) else {
      throw ValidationError("--database-connections must be 1 to 40")
    }
    guard grace.isFinite, (0...3600).contains(grace) else {
      throw ValidationError("--grace must be 0 to 3600 seconds")
    }
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads must be 1 to 256")
    }
  }

  func run() async throws {
    logFormat.install(level: logLevel.level)
    try await ServerProgram(try makeConfiguration(), logger: Logger(label: "hito")).run()
  }

  private func makeConfiguration() throws -> ServeConfiguration {
    // An empty variable is one that is not set, as in all other commands.
    let environment = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
    guard
      let directory = DataDirectory.resolve(requested: dataDir, environment: environment)
    else {
      throw ValidationError("no data directory: give --data-dir or set HITO_DATA_DIR")
    }
    let data = URL(filePath: directory, directoryHint: .isDirectory).absoluteURL.path
    let address = listen ?? environment["HITO_LISTEN"] ?? "127.0.0.1:7443"
    guard let (host, port) = ServeConfiguration.parseAddress(address) else {
      throw ValidationError("--listen wants host:port, for example 127.0.0.1:7443")
    }
    return ServeConfiguration(
      dataDirectory: data, host: host, port: port, portFile: portFile,
      databaseURL: databaseURL ?? environment["HITO_DATABASE_URL"],
      databaseConnectionCount: databaseConnections, lakeDirectory: lakeDir ?? "\(data)/lake",
      certificateFile: tlsCert, keyFile: tlsKey, clientAuthorityFile: tlsClientCA,
      hostNames: hostName,
      threadCount: threads ?? max(1, ProcessInfo.processInfo.activeProcessorCount),
      grace: .seconds(grace))
  }
}

extension LogFormat: ExpressibleByArgument {}
extension LogLevel: ExpressibleByArgument {}
