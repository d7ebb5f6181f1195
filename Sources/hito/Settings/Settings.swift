import DescriptorJSON
import Foundation

/// The settings in force: what the command line gave, else the environment, else the file, else what is
/// derived from the machine, else the default.
///
/// Made from everything that was given, good or bad, so that `hito config` can show it; `check` says
/// what is wrong before anything is used.
struct Settings: Sendable {
  /// Variables that begin like ours and belong to the tools around the program: building, tests.
  private static let foreignVariables: Set<String> = [
    "HITO_ARROW", "HITO_BIN", "HITO_BINARY", "HITO_COMPONENTS", "HITO_GENERATOR",
  ]
  private static let foreignPrefixes = ["HITO_E2E_", "HITO_TEST_", "HITO_BENCH_"]

  /// What these settings are chosen from.
  let declarations: [SettingDeclaration]
  /// Where the server of this machine keeps everything, as an absolute path; nil for a user without a
  /// home who names none.
  private(set) var dataDirectory: String?
  /// The user's own folder.
  let home: String?
  /// What was given that means nothing: unknown variables. They stop nothing, because other programs
  /// set some that look like ours (Kubernetes: `HITO_SERVICE_HOST` for a service named `hito`).
  let warnings: [String]
  /// By name. An empty text of a flag stands for nothing: the default counts, whatever the environment
  /// and the file say.
  private var given: [String: SettingGiven] = [:]
  private var problems: [String] = []

  /// - Parameter flags: what the command line gave, by the names of the settings.
  init(
    _ declarations: [SettingDeclaration], flags: [String: [String]],
    surroundings: SettingSurroundings
  ) {
    self.declarations = declarations
    home = surroundings.variable("HOME")
    warnings = Self.unknownVariables(
      surroundings.environment, among: SettingGroups.declarations + declarations)
    let outside = { Self.outside($0, flags, surroundings) }
    for declaration in declarations { given[declaration.name] = outside(declaration) }
    // The file may name the data directory, unless it was found in it.
    var known = surroundings
    let place = PlaceSettings()
    let named = outside(place.config.declaration)
    let directory = outside(place.dataDir.declaration)
    let derived = place.dataDir.declaration.derived(known)
    known.dataDirectory = directory?.text ?? derived?.text
    var filePath: String?
    do throws(SettingsError) {
      if let file = try Self.file(named, known) {
        filePath = file.path
        try take(file, isNamed: named?.text != nil)
      }
    } catch {
      problems += error.problems
    }
    if directory == nil, let inFile = given[place.dataDir.declaration.name]?.text {
      known.dataDirectory = inFile
    }
    known.dataDirectory = known.dataDirectory.map {
      URL(filePath: $0, directoryHint: .isDirectory).absoluteURL.path
    }
    dataDirectory = known.dataDirectory
    for declaration in declarations where given[declaration.name] == nil {
      given[declaration.name] = declaration.derived(known)
    }
    problems += valueProblems() + halfGiven()
    if let filePath, known.isOpenToOthers(filePath) { problems += openSecrets(filePath) }
  }

  // MARK: What is in force

  /// The value of a setting that was asked for at the start.
  subscript<Value>(setting: Setting<Value>) -> Value {
    assert(
      declarations.contains { $0.name == setting.declaration.name },
      "\(setting.declaration.name) is not among the settings of this command")
    guard let given = given[setting.declaration.name], given.text != nil else {
      return setting.standard
    }
    return setting.parse(given.texts) ?? setting.standard
  }

  func source(of declaration: SettingDeclaration) -> SettingSource {
    given[declaration.name]?.source ?? .standard
  }

  /// The value of a setting for people; secrets are not in it.
  func shown(_ declaration: SettingDeclaration) -> String {
    guard let given = given[declaration.name], let text = given.text else {
      return declaration.defaultText
    }
    if declaration.isSecret { return "(set)" }
    return declaration.isRepeatable ? given.texts.joined(separator: ", ") : text
  }

  /// Throws everything that is wrong, at once.
  func check() throws(SettingsError) {
    guard problems.isEmpty else { throw SettingsError(problems: problems) }
  }

  // MARK: Reading

  /// What was given outside the file.
  private static func outside(
    _ declaration: SettingDeclaration, _ flags: [String: [String]],
    _ surroundings: SettingSurroundings
  ) -> SettingGiven? {
    if let texts = flags[declaration.name], !texts.isEmpty {
      return SettingGiven(texts: texts, source: .flag(declaration.flag))
    }
    guard let text = surroundings.variable(declaration.variable) else { return nil }
    let texts = declaration.isRepeatable ? list(text) : [text]
    return texts.isEmpty
      ? nil : SettingGiven(texts: texts, source: .environment(declaration.variable))
  }

  private static func file(
    _ named: SettingGiven?, _ surroundings: SettingSurroundings
  ) throws(SettingsError) -> SettingsFile? {
    if let named, let path = named.text {
      guard let text = surroundings.contents(path) else {
        throw SettingsError(problems: ["\(path) (\(named.source)) cannot be read"])
      }
      return try SettingsFile(path: path, text: text)
    }
    guard let path = surroundings.dataDirectory.map({ "\($0)/hito.toml" }),
      let text = surroundings.contents(path)
    else { return nil }
    return try SettingsFile(path: path, text: text)
  }

  private mutating func take(_ file: SettingsFile, isNamed: Bool) throws(SettingsError) {
    var problems: [String] = []
    let known = (SettingGroups.declarations + declarations).filter(\.isInFile)
    for (key, entry) in file.entries.sorted(by: { $0.value.line < $1.value.line }) {
      let place = "\(file.path), line \(entry.line)"
      guard let declaration = known.first(where: { $0.name == key }) else {
        let hint = Self.hint(for: key, among: known.map(\.name))
        problems.append("\(place): there is no setting \(key)\(hint)")
        continue
      }
      if entry.isUnusable || (entry.texts.count > 1 && !declaration.isRepeatable) {
        problems.append("\(place): \(key) must be \(declaration.expectation)")
      } else if !isNamed, key == PlaceSettings().dataDir.declaration.name {
        problems.append(
          "\(place): \(key) cannot be set in the data directory's own file; name the file with "
            + "--config")
      } else if given[key] == nil, declarations.contains(where: { $0.name == key }),
        entry.texts != [""]
      {
        given[key] = SettingGiven(texts: entry.texts, source: .file(file.path))
      }
    }
    if !problems.isEmpty { throw SettingsError(problems: problems) }
  }

  private func valueProblems() -> [String] {
    declarations.compactMap { declaration in
      guard let given = given[declaration.name] else { return nil }
      guard let text = given.text else { return emptyProblem(declaration, given) }
      guard !declaration.accepts(given.texts) else { return nil }
      let said = declaration.isSecret ? "" : ", and not \(text)"
      return "\(Self.name(declaration, given)) must be \(declaration.expectation)\(said)"
    }
  }

  /// As it was given: a flag by its own name.
  private static func name(_ declaration: SettingDeclaration, _ given: SettingGiven) -> String {
    if case .flag(let name) = given.source { return name }
    return "\(declaration.name) (\(given.source))"
  }

  /// An empty data directory is a variable of a script that was not set: what was meant for one server would
  /// be done to another.
  private func emptyProblem(
    _ declaration: SettingDeclaration, _ given: SettingGiven
  ) -> String? {
    guard declaration.name == PlaceSettings().dataDir.declaration.name else { return nil }
    return "\(Self.name(declaration, given)) is empty: it must be \(declaration.expectation)"
  }

  /// Settings that do nothing without others that are not given.
  private func halfGiven() -> [String] {
    declarations.compactMap { declaration in
      guard let given = given[declaration.name], given.text != nil else { return nil }
      let missing = declarations.filter {
        declaration.needs.contains($0.name) && self.given[$0.name]?.text == nil
      }
      guard let first = missing.first else { return nil }
      let names = missing.map(\.name).joined(separator: " and ")
      let way = first.hasFlag ? "\(first.flag) or \(first.variable)" : first.variable
      return "\(Self.name(declaration, given)) does nothing without \(names): "
        + "give \(missing.count == 1 ? way : "them as well")"
    }
  }

  private func openSecrets(_ path: String) -> [String] {
    declarations.compactMap { declaration in
      guard declaration.isSecret, given[declaration.name]?.source == .file(path) else { return nil }
      return "\(path) holds a secret (\(declaration.name)) and can be read by others: "
        + "run `chmod 600 \(path)`"
    }
  }

  private static func unknownVariables(
    _ environment: [String: String], among declarations: [SettingDeclaration]
  ) -> [String] {
    let known = declarations.map(\.variable)
    return environment.keys.sorted().compactMap { name in
      guard name.hasPrefix("HITO_"), !known.contains(name), !foreignVariables.contains(name),
        !foreignPrefixes.contains(where: { name.hasPrefix($0) })
      else { return nil }
      return "the environment's \(name) means nothing here\(hint(for: name, among: known))"
    }
  }

  private static func hint(for name: String, among names: [String]) -> String {
    NearNames.suggestions(for: name, among: names).first.map { "; did you mean \($0)?" } ?? ""
  }

  private static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
  }
}
