import ArgumentParser
import Console
import Foundation
import JSON
import PostgresStore

/// `hito config`: the settings in force, and where each comes from.
struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Show the settings in force, and where they come from.",
    discussion: "Secrets are not shown. Options of this command win, as in all others.")

  @OptionGroup var client: ClientOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    try await reporting {
      let rows = try rows()
      if json {
        let members = rows.map { name, value, source in
          (
            key: name,
            value: JSONValue.object([("value", .string(value)), ("source", .string(source))])
          )
        }
        return Output.line(JSONValue.object(members).shown(.pretty))
      }
      var table = TextTable(["SETTING", "VALUE", "FROM"])
      for (name, value, source) in rows { table.add([name, value, source]) }
      Output.text(table.text)
    }
  }

  private func rows() throws -> [(name: String, value: String, source: String)] {
    let environment = ProcessInfo.processInfo.environment
    let settings = try client.settings()
    let directory = DataDirectory.resolve(requested: client.dataDir, environment: environment)
    let directorySource: SettingSource =
      client.dataDir != nil
      ? .option("--data-dir")
      : environment["HITO_DATA_DIR"]?.isEmpty == false ? .environment("HITO_DATA_DIR") : .builtIn
    let hasURL = environment["HITO_DATABASE_URL"]?.isEmpty == false
    let listen = environment["HITO_LISTEN"]
    let postgresSource: SettingSource =
      environment["HITO_POSTGRES"] == nil ? .builtIn : .environment("HITO_POSTGRES")
    return [
      ("data-dir", directory ?? "(none)", "\(directorySource)"),
      (
        "listen", listen ?? "127.0.0.1:\(Address.portDefault)",
        "\(listen == nil ? SettingSource.builtIn : .environment("HITO_LISTEN"))"
      ),
      (
        "database", hasURL ? "(an external URL, not shown)" : "embedded",
        "\(hasURL ? SettingSource.environment("HITO_DATABASE_URL") : .builtIn)"
      ),
      (
        "postgres", PostgresPrograms.candidates(environment: environment).joined(separator: ", "),
        "\(postgresSource)"
      ),
      ("address", "\(settings.address.value)", "\(settings.address.source)"),
      ("ca", settings.authorityFile.value ?? "(the system's)", "\(settings.authorityFile.source)"),
      ("token", settings.token.value == nil ? "(none)" : "(set)", "\(settings.token.source)"),
    ]
  }
}
