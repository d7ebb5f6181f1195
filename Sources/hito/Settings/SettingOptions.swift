import ArgumentParser

/// The flags of a group of settings, for `@OptionGroup`.
///
/// ArgumentParser finds a command's options by reflection on a value of its type, and reads them back
/// by decoding. This type answers both from the declarations, so that an option has no property of its
/// own.
struct SettingOptions<Group: SettingGroup>: ParsableArguments, CustomReflectable, Sendable {
  private(set) var flags: [String: [String]] = [:]

  init() {}

  init(from decoder: any Decoder) throws {
    let options = try decoder.container(keyedBy: Key.self)
    for declaration in Self.declarations {
      let key = Key(stringValue: declaration.name)
      flags[declaration.name] =
        declaration.isRepeatable
        ? try options.decode(Option<[String]>.self, forKey: key).wrappedValue
        : try options.decode(Option<String?>.self, forKey: key).wrappedValue.map { [$0] }
    }
  }

  var customMirror: Mirror {
    Mirror(self, children: Self.declarations.map { (label: $0.name, value: Self.option($0)) })
  }

  private static var declarations: [SettingDeclaration] {
    Group.declarations.filter(\.hasFlag)
  }

  private static func option(_ declaration: SettingDeclaration) -> Any {
    let name = NameSpecification.customLong(declaration.name)
    let help = ArgumentHelp(
      "\(declaration.help) Default: \(declaration.defaultText).",
      valueName: declaration.valueName)
    return declaration.isRepeatable
      ? Option<[String]>(wrappedValue: [], name: name, help: help)
      : Option<String?>(name: name, help: help)
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }

    init?(intValue: Int) { nil }
  }
}

/// Any `SettingOptions`.
protocol GivesSettings {
  var flags: [String: [String]] { get }
  var declarations: [SettingDeclaration] { get }
}

extension SettingOptions: GivesSettings {
  var declarations: [SettingDeclaration] { Group.declarations }
}

extension Settings {
  /// Of the groups that a command takes.
  init(
    _ options: [any GivesSettings], surroundings: SettingSurroundings = .ofProcess
  ) {
    self.init(
      options.flatMap(\.declarations),
      flags: options.reduce(into: [:]) { flags, group in
        flags.merge(group.flags) { first, _ in first }
      }, surroundings: surroundings)
  }
}
