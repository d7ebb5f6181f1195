import ArgumentParser
import Glibc

/// The program: one subcommand for each thing that a person or a script wants of it.
@main
struct Hito: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hito",
    abstract: "A backend for learning goals: server, client and tools in one program.",
    version: HitoVersion.current,
    subcommands: [
      ServeCommand.self, WorkCommand.self, CallCommand.self, WatchCommand.self, TopCommand.self,
      ValidateCommand.self,
      IngestCommand.self, ReportCommand.self, TokenCommand.self, MigrateCommand.self,
      LogCommand.self, GroupsCommand.self, AuditCommand.self, ReplayCommand.self,
      BackupCommand.self, RestoreCommand.self,
      DoctorCommand.self,
      ConfigCommand.self, CompletionCommand.self,
      VersionCommand.self,
    ])

  static func main() async {
    StandardStreams.occupy()
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let problem = CommandSuggestion.problem(with: arguments, of: Hito.self) {
      Output.note("error: \(problem)")
      Glibc.exit(ExitStatus.usage)
    }
    await execute(arguments)
  }

  /// As the parser's own `main` does, but tells where help and versions cannot be written.
  private static func execute(_ arguments: [String]) async {
    do {
      var command = try await asyncParseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      if exitCode(for: error).isSuccess {
        let text = fullMessage(for: error)
        if !text.isEmpty { Output.line(text) }
        Glibc.exit(EXIT_SUCCESS)
      }
      exit(withError: error)
    }
  }
}
