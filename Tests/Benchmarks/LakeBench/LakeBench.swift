import ArgumentParser
import BenchmarkSupport
import HitoClient

/// `make bench-lake`: how fast events get into the lake.
@main
struct LakeBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lake",
    abstract: "Measures how fast events get into the lake, and positions on them.")

  @OptionGroup var options: ServerOptions

  @Option(help: "Rows to write.")
  var rows = 200_000

  func validate() throws {
    guard (1000...5_000_000).contains(rows) else {
      throw ValidationError("--rows must be 1000 to 5000000")
    }
  }

  func run() async throws {
    var report = Report()
    try await BenchServer.run(program: options.program) { server in
      try await Sink(server: server, rowCount: rows).measure(&report)
    }
    try report.finish()
  }
}
