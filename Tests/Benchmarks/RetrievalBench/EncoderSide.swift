import BenchmarkSupport
import Foundation
import HitoClient

/// The sentence encoder through the server, beside the same model driven from Python
/// (`Tests/Benchmarks/python/encoder.py`), on texts of about 20 and 200 tokens.
struct EncoderSide {
  private static let shortText =
    "Quiero crear una API REST completa con rutas, validación de datos y pruebas automáticas"
  private static let text = String(
    repeating: "Una API REST completa con rutas, validación de datos y pruebas automáticas. ",
    count: 12)

  let server: BenchServer

  func measure(_ report: inout Report) async throws {
    let client = try await server.connect(token: try server.adminToken())
    defer { client.close() }
    // A search in an empty scope is next to nothing but the embedding of its question, which a
    // search by words alone does not make.
    @Sendable func call(_ text: String, _ mode: SearchMode) async throws {
      _ = try await client.retrieval.search(
        SearchRequest(query: text, entityTypes: ["goal"], mode: mode))
    }
    func cost(_ text: String, _ mode: SearchMode) async throws -> (cpu: Double, latency: Double) {
      let before = try server.usage()
      let run = try await ClosedLoop(workerCount: 1, duration: .seconds(4)).run { _ in
        try await call(text, mode)
      }
      let used = try server.usage() - before
      return (used.server / Double(run.callCount) * 1e3, run.latencies.median / 1000)
    }
    _ = try await cost("a", .vector)
    let without = try await cost("a", .text)
    let long = try await cost(Self.text, .vector)
    let short = try await cost(Self.shortText, .vector)
    let shortWithout = try await cost(Self.shortText, .text)
    let theirs = Self.pythonCost(of: Self.text)
    let theirsShort = Self.pythonCost(of: Self.shortText)
    report.figures += [
      Figure(
        "retrieval.embed_20_tokens_ms", short.cpu - shortWithout.cpu, unit: "CPU ms/text",
        peer: theirsShort == nil ? nil : "the same model from Python, one thread",
        theirs: theirsShort, isLessBetter: true),
      Figure(
        "retrieval.embed_200_tokens_ms", long.cpu - without.cpu, unit: "CPU ms/text",
        peer: theirs == nil ? nil : "the same model from Python, one thread", theirs: theirs,
        isLessBetter: true),
      Figure("retrieval.embed_200_tokens_latency_ms", long.latency, unit: "ms/search"),
    ]
  }

  /// CPU ms of the same model driven from Python for one text; nil where that does not run here.
  static func pythonCost(of text: String) -> Double? {
    let output = try? Programs.run(
      [".venv/bin/python", "Tests/Benchmarks/python/encoder.py"], input: text)
    return output.flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }
}
