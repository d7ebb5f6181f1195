/// What a setting is, whatever the type of its value.
///
/// The flag (`--name`), the environment variable (`HITO_NAME`) and the key of the file (`name`) come
/// from one name, so that who knows one of them knows all.
struct SettingDeclaration: Sendable {
  /// Lower case, words joined by `-`.
  let name: String
  let help: String
  /// Stands for the value in help: `host:port`.
  let valueName: String
  /// What a value must be: `1 to 40`; goes after "must be".
  let expectation: String
  /// What is used where nothing is given, for people: `127.0.0.1:7443`, `one per core`.
  let defaultText: String
  /// Never shown, has no flag unless `hasFlag` says so, and its file must be closed to others.
  let isSecret: Bool
  let hasFlag: Bool
  let isInFile: Bool
  let isRepeatable: Bool
  /// Names of settings without which this one does nothing.
  let needs: [String]
  let derived: @Sendable (SettingSurroundings) -> SettingGiven?
  let accepts: @Sendable ([String]) -> Bool

  var flag: String { "--\(name)" }

  var variable: String {
    "HITO_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
  }
}

/// One setting: its declaration and how its text becomes a value. Declared once, in one of the groups
/// of `SettingGroups.swift`; flags, environment, file, help, `hito config`, the start log and the table
/// in the docs follow from that.
struct Setting<Value: Sendable>: Sendable, DeclaresSetting {
  let declaration: SettingDeclaration
  /// Where nothing is given, and nothing is derived.
  let standard: Value
  let parse: @Sendable ([String]) -> Value?

  /// A setting that always has a value.
  init(
    _ name: String, _ kind: SettingKind<Value>, default standard: Value, shown: String? = nil,
    help: String, needs: [String] = [],
    derived: @escaping @Sendable (SettingSurroundings) -> SettingGiven? = { _ in nil }
  ) {
    self.init(
      name, kind, kind.parse, standard: standard, shown: shown ?? kind.text(standard),
      help: help, needs: needs, isSecret: false, hasFlag: true, isInFile: true, derived: derived)
  }

  /// A setting that may be absent.
  ///
  /// - Parameter shown: what that means, for people.
  init<Base>(
    _ name: String, _ kind: SettingKind<Base>, shown: String = "none", help: String,
    needs: [String] = [], isSecret: Bool = false, hasFlag: Bool? = nil, isInFile: Bool = true,
    derived: @escaping @Sendable (SettingSurroundings) -> SettingGiven? = { _ in nil }
  ) where Value == Base? {
    self.init(
      name, kind, { texts in kind.parse(texts).map { .some($0) } }, standard: nil, shown: shown,
      help: help, needs: needs, isSecret: isSecret, hasFlag: hasFlag ?? !isSecret,
      isInFile: isInFile, derived: derived)
  }

  private init<Base>(
    _ name: String, _ kind: SettingKind<Base>, _ parse: @escaping @Sendable ([String]) -> Value?,
    standard: Value, shown: String, help: String, needs: [String], isSecret: Bool, hasFlag: Bool,
    isInFile: Bool, derived: @escaping @Sendable (SettingSurroundings) -> SettingGiven?
  ) {
    self.standard = standard
    self.parse = parse
    declaration = SettingDeclaration(
      name: name, help: help, valueName: kind.valueName, expectation: kind.expectation,
      defaultText: shown, isSecret: isSecret, hasFlag: hasFlag, isInFile: isInFile,
      isRepeatable: kind.isRepeatable, needs: needs, derived: derived,
      accepts: { parse($0) != nil })
  }
}

/// A `Setting` of any type; what the groups are searched for.
protocol DeclaresSetting: Sendable {
  var declaration: SettingDeclaration { get }
}

/// Settings that belong together: the properties of a struct, each of them a `Setting`.
protocol SettingGroup: Sendable {
  init()
  /// Heads them in help and in the docs.
  static var title: String { get }
}

extension SettingGroup {
  /// In the order in which they stand in the source.
  static var declarations: [SettingDeclaration] {
    Mirror(reflecting: Self()).children.compactMap {
      ($0.value as? any DeclaresSetting)?.declaration
    }
  }
}
