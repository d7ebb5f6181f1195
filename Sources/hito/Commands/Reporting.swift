import ArgumentParser
import Glibc
import HitoClient
import PostgresStore

/// Runs a command's work with its settings, checked, and turns what goes wrong into words on standard
/// error and an exit status.
func reporting(
  _ options: any GivesSettings..., body: (Settings) async throws -> Void
) async throws {
  try await reporting {
    let settings = Settings(options)
    for warning in settings.warnings { Output.note("warning: \(warning)") }
    try settings.check()
    try await body(settings)
  }
}

/// The same for a command that calls a server.
func reporting(
  _ options: ClientOptions, body: (HitoClient) async throws -> Void
) async throws {
  try await reporting(options.place, options.client) { settings in
    let access = try ServerAccess(settings)
    let client = try access.client(compresses: options.compress)
    defer { client.close() }
    do {
      try await body(client)
    } catch let error as RPCError {
      throw CommandFailure(
        ErrorText.describe(error, access: access), exitStatus: ErrorText.exitStatus(of: error))
    }
  }
}

/// The same without settings. What is wrong with the command line is said by its own words: the parser, which
/// adds the usage, has lost by now which command it was.
func reporting(_ body: () async throws -> Void) async throws {
  // A reader that goes away is seen at the next write.
  signal(SIGPIPE, SIG_IGN)
  do {
    try await body()
  } catch let error as CleanExit {
    throw error
  } catch let error as ValidationError {
    Output.note("error: \(error.message)")
    throw ExitCode(ExitStatus.usage)
  } catch let error as ExitCode {
    throw error
  } catch let error as CommandFailure {
    Output.note("error: \(error)")
    throw ExitCode(error.exitStatus)
  } catch let error as SettingsError {
    for problem in error.problems { Output.note("error: \(problem)") }
    throw ExitCode(ExitStatus.usage)
  } catch let error as ConnectFailure {
    Output.note("error: \(error)")
    throw ExitCode(ExitStatus.unavailable)
  } catch is CancellationError {
    throw ExitCode(ExitStatus.failure)
  } catch {
    Output.note("error: \(SystemText.of(error))")
    throw ExitCode(ExitStatus.failure)
  }
}
