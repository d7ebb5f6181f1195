import ArgumentParser
import DescriptorJSON
import HitoClient

/// How to reach a server; shared by every command that calls one.
struct ClientOptions: ParsableArguments {
  @OptionGroup var client: SettingOptions<ClientSettings>
  @OptionGroup var place: SettingOptions<PlaceSettings>

  @Option(help: "The longest that the call may take, for example 500ms, 30s or 5m.")
  var timeout: DurationArgument?

  @Flag(help: "Wait for a server that cannot be reached, within the timeout.")
  var waitForServer = false

  @Flag(help: "Compress large messages, both ways: for slow networks.")
  var compress = false

  var callOptions: CallOptions {
    var options = CallOptions(timeout: timeout?.duration)
    options.waitsForReady = waitForServer
    return options
  }

  /// Of a stream that is taken up again when its connection breaks, which is said on standard error.
  var watchOptions: WatchOptions {
    var options = WatchOptions()
    options.call = callOptions
    // Who types a wrong address is told so at once.
    options.givesUpAtFirst = !waitForServer
    options.onInterruption = { error in
      Output.note("-- \(error.map { "\($0)" } ?? "the server ended the stream"); reconnecting")
    }
    return options
  }
}

/// Which database a command works on directly.
struct DatabaseOptions: ParsableArguments {
  @OptionGroup var place: SettingOptions<PlaceSettings>
  @OptionGroup var database: SettingOptions<DatabaseSettings>

  /// Opens the database for `body`, and reports what goes wrong.
  func open(_ body: (DatabaseSession) async throws -> Void) async throws {
    try await openWithSettings { _, session in try await body(session) }
  }

  func openWithSettings(
    _ body: (Settings, DatabaseSession) async throws -> Void
  ) async throws {
    try await reporting(place, database) { settings in
      try await DatabaseSession.with(settings) { session in try await body(settings, session) }
    }
  }
}

/// A time or a day on the command line.
enum TimeOption {
  /// Throws, with the option's own name, where `text` is none.
  static func check(_ text: String?, _ name: String) throws {
    guard let text, TimeText.microseconds(text) == nil else { return }
    throw ValidationError(
      "\(name) wants a time such as 2026-01-31T09:05:00Z or 2026-01-31, and not "
        + "'\(TerminalText.clean(text, maximum: 60))'")
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

  var defaultValueDescription: String { DurationText.typed(duration) }

  static var defaultCompletionKind: CompletionKind { .list(["30s", "5m", "1h", "90d"]) }
}
