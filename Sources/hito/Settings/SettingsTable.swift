import JSON

/// Settings for people and for programs that read.
enum SettingsTable {
  static func text(_ settings: Settings) -> String {
    var table = TextTable(["SETTING", "VALUE", "FROM"])
    for declaration in settings.declarations {
      table.add([
        declaration.name, settings.shown(declaration), "\(settings.source(of: declaration))",
      ])
    }
    return table.text
  }

  static func json(_ settings: Settings) -> JSONValue {
    .object(
      settings.declarations.map { declaration in
        (
          declaration.name,
          .object([
            ("value", .string(settings.shown(declaration))),
            ("source", .string("\(settings.source(of: declaration))")),
          ])
        )
      })
  }

  /// docs/settings.md: what can be set, without any value.
  static var markdown: String {
    var text = """
      # Settings

      Made by `hito config --markdown`; `make check` compares. Every setting has one name: the key of the
      TOML file, with `--` before it the flag, and in capitals with `HITO_` before it the environment
      variable. The flag wins over the environment, the environment over the file, the file over the
      default. [ADR 11](adr/0013-settings.md) says how and why.

      The file is the one that `--config` or `HITO_CONFIG` names, else `hito.toml` in the data directory,
      where there is one. It holds lines such as `listen = "0.0.0.0:7443"`. A file with a secret in it must
      be closed to other users. `hito config` shows the settings in force and where each of them comes from.

      Settings that others need are said when they are missing; so are unknown keys of the file (an error)
      and unknown `HITO_` variables (a warning).

      """
    for group in SettingGroups.all {
      text += "\n## \(group.title)\n\n| setting | flag | environment | default | what |\n"
      text += "|---|---|---|---|---|\n"
      for declaration in group.declarations { text += row(declaration) }
    }
    return text
  }

  private static func row(_ declaration: SettingDeclaration) -> String {
    let flag = declaration.hasFlag ? "`\(declaration.flag)`" : "none: it is a secret"
    let key = declaration.isInFile ? "`\(declaration.name)`" : "not in the file"
    var what = "\(declaration.help) Must be \(declaration.expectation)."
    if !declaration.needs.isEmpty {
      what += " Needs " + declaration.needs.map { "`\($0)`" }.joined(separator: " and ") + "."
    }
    let cells = [key, flag, "`\(declaration.variable)`", declaration.defaultText, what]
    let safe = cells.map { cell in cell.map { $0 == "|" ? "\\|" : String($0) }.joined() }
    return "| \(safe.joined(separator: " | ")) |\n"
  }
}
