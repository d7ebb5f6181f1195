import Logging

/// How log lines look.
enum LogFormat: String, CaseIterable, Sendable {
  case text, json
}

/// The least serious level that is logged.
enum LogLevel: String, CaseIterable, Sendable {
  case trace, debug, info, notice, warning, error, critical

  var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}
