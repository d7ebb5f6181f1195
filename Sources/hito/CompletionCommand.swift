import ArgumentParser
import Foundation

/// `hito completion`: what shells complete at the Tab key.
struct CompletionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completion",
    abstract: "Complete commands, options, methods and fields in bash, zsh and fish.",
    subcommands: [CompletionInstallCommand.self, CompletionPrintCommand.self])
}

/// `hito completion print`
struct CompletionPrintCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "print", abstract: "Print the script, to put it where you want it.")

  @Argument(help: "The shell.")
  var shell: ShellName

  func run() async throws { Output.text(shell.script) }
}

/// `hito completion install`
struct CompletionInstallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Install it for this user: it works in the next shell.",
    discussion: HelpText.prose(
      """
      Writes the script where the shell looks for it, or below ~/.local/share/hito and a line into
      ~/.bashrc or ~/.zshrc that reads it. Done again, it replaces the script and adds no second line.
      """))

  @Argument(help: "The shell. Default: the one of the variable SHELL.")
  var shell: ShellName?

  func run() async throws {
    try await reporting {
      let environment = ProcessInfo.processInfo.environment
      let named = (environment["SHELL"] ?? "").split(separator: "/").last.map(String.init) ?? ""
      guard let shell = shell ?? ShellName(rawValue: named) else {
        throw CommandFailure(
          "which shell? say bash, zsh or fish (SHELL is '\(TerminalText.clean(named, maximum: 40))')",
          exitStatus: ExitStatus.usage)
      }
      guard let home = environment["HOME"], !home.isEmpty else {
        throw CommandFailure(
          "HOME is not set: print the script with `hito completion print \(shell.rawValue)`",
          exitStatus: ExitStatus.usage)
      }
      for line in try ShellInstallation(home: home, environment: environment).install(shell) {
        Output.note(line)
      }
    }
  }
}

/// The shells that there are scripts for.
enum ShellName: String, CaseIterable, ExpressibleByArgument {
  case bash, zsh, fish

  var script: String {
    switch self {
    case .bash: Hito.completionScript(for: .bash)
    case .zsh: Hito.completionScript(for: .zsh)
    case .fish: Hito.completionScript(for: .fish)
    }
  }
}

/// Where a user's shells look for scripts of completion.
struct ShellInstallation {
  let home: String
  let environment: [String: String]

  /// - Returns: what was done, a line each.
  func install(_ shell: ShellName) throws -> [String] {
    let config =
      environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "\(home)/.config"
    switch shell {
    case .fish:
      // fish reads this folder by itself.
      return [try write(shell, to: "\(config)/fish/completions/hito.fish")]
    case .bash:
      let path = "\(home)/.local/share/hito/completion.bash"
      return [try write(shell, to: path), try add("source '\(path)'", to: "\(home)/.bashrc")]
    case .zsh:
      let folder = "\(home)/.local/share/hito/zsh"
      let rc = "\(environment["ZDOTDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? home)/.zshrc"
      return [
        try write(shell, to: "\(folder)/_hito"),
        try add("fpath=('\(folder)' $fpath); autoload -Uz compinit; compinit", to: rc),
      ]
    }
  }

  private func write(_ shell: ShellName, to path: String) throws -> String {
    let folder = URL(filePath: path).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try shell.script.write(toFile: path, atomically: true, encoding: .utf8)
    return "wrote \(path)"
  }

  /// Appends a line that is not there yet.
  private func add(_ line: String, to path: String) throws -> String {
    let text = InputFile.text(path, byteCountMax: 4 << 20)
    guard text != nil || !FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure("\(path) cannot be read: add this line to it yourself: \(line)")
    }
    let marked = "\(line)  # hito completion"
    if let text, text.contains(marked) { return "\(path) reads it already" }
    // Appended in place: the file may be a link, and has its owner and mode.
    let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw CommandFailure("\(path): \(SystemText.of(errno))") }
    let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    let start = text.map { $0.isEmpty || $0.hasSuffix("\n") } ?? true ? "" : "\n"
    try handle.write(contentsOf: Data("\(start)\(marked)\n".utf8))
    try handle.close()
    return "added a line to \(path): open a new shell"
  }
}
