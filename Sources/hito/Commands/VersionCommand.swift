import ArgumentParser
import EventLake
import JSON
import PostgresStore

/// `hito version`: this program and the libraries in its process.
struct VersionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Show the version, and those of the libraries in use.")

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    #if DEBUG
      let build = "debug"
    #else
      let build = "release"
    #endif
    let facts = [
      ("hito", HitoVersion.current), ("build", build), ("protocol", "hito/1"),
      ("openssl", LinkedLibraries.openSSLVersion ?? "not found"),
      ("libpq", LinkedLibraries.libpqVersion ?? "not found"),
      ("protobuf-c", LinkedLibraries.protobufCVersion ?? "not found"),
      ("arrow", LibraryIsolation.inspect().arrowVersion),
      ("migrations", "\(Migration.all.count)"),
    ]
    if json {
      Output.line(JSONValue.object(facts.map { ($0.0, .string($0.1)) }).shown())
      return
    }
    var table = TextTable()
    for (name, value) in facts { table.add([name, value]) }
    Output.text(table.text)
  }
}
