import ArgumentParser
import Console
import DescriptorJSON
import Foundation
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

/// What the commands write.
enum Output {
  static func line(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }

  static func text(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
  }

  static func note(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }
}

/// Runs a command's work and turns what goes wrong into words on standard error and an exit
/// status. Errors about the command line pass through: they come with the usage.
func reporting(
  _ settings: ClientSettings? = nil, _ body: () async throws -> Void
) async throws {
  // A reader that went away (`hito watch | head`) ends us quietly, like any other program.
  signal(SIGPIPE, SIG_DFL)
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
