import Foundation
import Logging
import PostgresStore

/// Everything that `hito serve` can be told, checked.
struct ServeConfiguration: Sendable {
  /// The database, the lake, certificates and the first token.
  var dataDirectory: String
  var host: String
  var port: Int
  /// Written with `host:port` once the server takes calls.
  var portFile: String?
  /// An external PostgreSQL; nil means the embedded one.
  var databaseURL: String?
  var databaseConnectionCount: Int
  var lakeDirectory: String
  var certificateFile: String?
  var keyFile: String?
  var clientAuthorityFile: String?
  /// Names of this host in the development certificate, beside localhost.
  var hostNames: [String]
  var threadCount: Int
  /// How long calls may go on after SIGTERM.
  var grace: Duration

  /// `host:port` or `[v6]:port`; port 0 lets the system choose.
  static func parseAddress(_ text: String) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port)
    else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard !host.isEmpty else { return nil }
    return (host, port)
  }
}

/// Where log lines go and how they look.
enum LogFormat: String, CaseIterable, Sendable {
  case text, json

  func install(level: Logger.Level) {
    let format = self
    LoggingSystem.bootstrap { label in
      var handler: any LogHandler =
        switch format {
        case .text: StreamLogHandler.standardError(label: label)
        case .json: JSONLogHandler(label: label)
        }
      handler.logLevel = level
      return handler
    }
  }
}

/// The least serious level that is logged.
enum LogLevel: String, CaseIterable, Sendable {
  case trace, debug, info, notice, warning, error, critical

  var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}
