import ArgumentParser
import Testing

@testable import hito

/// What docs/adding-a-setting.md says to write, and nothing else.
private struct ToySettings: SettingGroup {
  static let title = "Toy"

  let toyLimit = Setting<Int>(
    "toy-limit", .integer(1...9), default: 4, help: "How many toys there may be.")

  let toyName = Setting<String?>(
    "toy-name", .name, help: "What the toy is called.", needs: ["toy-owner"])

  let toyOwner = Setting<[String]>(
    "toy-owner", .names, default: [], shown: "none", help: "Whose toy it is; repeatable.")
}

private struct ToyCommand: ParsableCommand {
  @Argument var positional: String
  @OptionGroup var toys: SettingOptions<ToySettings>
}

@Suite("A new setting")
struct ToySettingTests {
  private let toys = ToySettings()

  private func settings(
    _ arguments: [String], environment: [String: String] = [:], file: String? = nil
  ) throws -> Settings {
    let command = try ToyCommand.parse(["x"] + arguments)
    return Settings(
      [command.toys],
      surroundings: SettingSurroundings(
        environment: environment, isRoot: true, processorCount: 1, contents: { _ in file },
        isOpenToOthers: { _ in false }))
  }

  @Test("has its flag, its variable, its key and its default by one declaration")
  func sources() throws {
    #expect(try settings([])[toys.toyLimit] == 4)
    #expect(try settings([], file: "toy-limit = 5")[toys.toyLimit] == 5)
    let environment = ["HITO_TOY_LIMIT": "6"]
    #expect(
      try settings([], environment: environment, file: "toy-limit = 5")[toys.toyLimit] == 6)
    let found = try settings(
      ["--toy-limit", "7", "--toy-owner", "a", "--toy-owner=b"], environment: environment)
    #expect(found[toys.toyLimit] == 7 && found[toys.toyOwner] == ["a", "b"])
    #expect(found.warnings.isEmpty)
    try found.check()
  }

  @Test("is checked, shown and explained by it")
  func texts() throws {
    let bad = try settings(["--toy-limit", "10", "--toy-name", "n"])
    let error = #expect(throws: SettingsError.self) { try bad.check() }
    #expect(
      error?.problems == [
        "--toy-limit must be a whole number, 1 to 9, and not 10",
        "--toy-name does nothing without toy-owner: give --toy-owner or "
          + "HITO_TOY_OWNER",
      ])
    #expect(SettingsTable.text(bad).contains("toy-limit  10     flag --toy-limit\n"))
    let help = ToyCommand.helpMessage(columns: 200)
    #expect(
      help.contains("--toy-limit <n>") && help.contains("How many toys there may be. Default: 4."))
  }

  @Test("has no flag that nobody declared")
  func unknownFlag() {
    #expect(throws: (any Error).self) { try ToyCommand.parse(["x", "--toy", "1"]) }
  }
}
