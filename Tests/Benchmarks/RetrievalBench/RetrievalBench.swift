import ArgumentParser
import BenchmarkSupport
import Foundation
import HitoClient

/// `make bench-retrieval`.
@main
struct RetrievalBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retrieval",
    abstract: "Measures searches, the sentence encoder and the ingestion of documents.")

  @OptionGroup var server: ServerOptions
  @Option(help: "Goals of each learner.") var rowsPerLearner = 10_000
  @Option(help: "Learners.") var learners = 100
  @Option(help: "Seconds of each measurement.") var seconds = 8
  @Option(help: "Measurements of each kind; medians are told.") var rounds = 3
  @Option(help: "A folder of documents. Default: the course beside the work tree, else our own.")
  var documents: String?

  func run() async throws {
    var report = Report()
    try await BenchServer.run(program: server.program) { server in
      try await Ingestion(server: server, folder: documentsFolder()).measure(&report)
      try await EncoderSide(server: server).measure(&report)
      let people = try await Learner.make(learners, on: server)
      try await Corpus(server: server, learners: people, rowsPerLearner: rowsPerLearner).fill()
      try await ScopedSearch(
        server: server, learners: people, rowsPerLearner: rowsPerLearner, seconds: seconds,
        rounds: rounds
      ).measure(&report)
    }
    try report.finish()
  }

  private func documentsFolder() -> String {
    if let documents { return documents }
    let large = "../shared/data/fastapi-docs"
    return FileManager.default.fileExists(atPath: large) ? large : "Tests/Data"
  }
}
