import ArgumentParser
import Console
import DescriptorJSON
import Foundation
import Glibc
import PostgresStore
import RPC
import Transport

/// A failure that says what to do and what the program ends with.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
  var exitStatus = ExitStatus.failure

  init(_ description: String, exitStatus: Int32 = ExitStatus.failure) {
    self.description = description
    self.exitStatus = exitStatus
  }
}

/// What the commands write, unbuffered: who reads along sees each line at once.
enum Output {
  static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

  static func text(_ text: String) { write(text, to: STDOUT_FILENO) }

  static func error(_ text: String) { write(text, to: STDERR_FILENO) }

  static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

  private static func write(_ text: String, to file: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        // The reader went away (`hito watch | head`): end quietly, as other programs do.
        if file == STDOUT_FILENO { exit(ExitStatus.failure) }
        return
      }
    }
  }
}

/// The same for a command that calls a server: settings that cannot be used are wrong usage,
/// wherever they come from.
func reporting(
  _ client: ClientOptions, _ body: (ClientSettings) async throws -> Void
) async throws {
  let settings: ClientSettings
  do {
    settings = try client.settings()
  } catch {
    Output.note("error: \(error)")
    throw ExitCode(ExitStatus.usage)
  }
  try await reporting(settings) { try await body(settings) }
}

/// Runs a command's work and turns what goes wrong into words on standard error and an exit
/// status. Errors about the command line pass through: they come with the usage.
func reporting(
  _ settings: ClientSettings? = nil, _ body: () async throws -> Void
) async throws {
  // A reader that goes away is seen at the next write.
  signal(SIGPIPE, SIG_IGN)
  do {
    try await body()
  } catch let error as CleanExit {
    throw error
  } catch let error as ValidationError {
    throw error
  } catch let error as ExitCode {
    throw error
  } catch let error as RPCError {
    Output.note("error: \(ErrorText.describe(error, settings: settings))")
    throw ExitCode(ExitStatus.of(error))
  } catch let error as CommandFailure {
    Output.note("error: \(error)")
    throw ExitCode(error.exitStatus)
  } catch let error as SettingsError {
    Output.note("error: \(error)")
    throw ExitCode(ExitStatus.usage)
  } catch let error as ConnectFailure {
    Output.note("error: \(error)")
    throw ExitCode(ExitStatus.unavailable)
  } catch is CancellationError {
    throw ExitCode(ExitStatus.failure)
  } catch {
    Output.note("error: \(error)")
    throw ExitCode(ExitStatus.failure)
  }
}
