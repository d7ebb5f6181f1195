import ArgumentParser
import DescriptorJSON

/// What a person may have meant by the name of a command that there is not.
enum CommandSuggestion {
  /// Nil where the words before the first option name a command, or where they are arguments of one.
  static func problem(
    with arguments: [String], of root: any ParsableCommand.Type
  ) -> String? {
    var command = root
    var path = name(of: root)
    // `hito help ingest` names one as well.
    for word in arguments.first == "help" ? arguments.dropFirst() : arguments[...] {
      let below = command.configuration.subcommands
      if word.hasPrefix("-") || word == "help" || below.isEmpty { return nil }
      guard let next = below.first(where: { names(of: $0).contains(word) }) else {
        return text(word, below.map(name), path)
      }
      command = next
      path += " \(word)"
    }
    return nil
  }

  private static func text(_ word: String, _ names: [String], _ path: String) -> String {
    let near = NearNames.suggestions(for: word, among: names)
    let hint =
      near.isEmpty
      ? "" : "; did you mean `\(near.map { "\(path) \($0)" }.joined(separator: "` or `"))`?"
    return "there is no command `\(path) \(TerminalText.clean(word, maximum: 60))`\(hint)\n"
      + "hint: `\(path) --help` lists what there is"
  }

  private static func names(of command: any ParsableCommand.Type) -> [String] {
    [name(of: command)] + command.configuration.aliases
  }

  private static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? "\(command)".lowercased()
  }
}
