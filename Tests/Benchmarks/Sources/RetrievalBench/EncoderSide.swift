import BenchmarkSupport
import Foundation
import HitoClient

/// The sentence encoder through the server, beside the same model driven from Python
/// (`Tests/Benchmarks/python/encoder.py`), on a text of about 200 tokens.
struct EncoderSide {
  private static let text = String(
    repeating: "Una API REST completa con rutas, validación de datos y pruebas automáticas. ",
    count: 12)

  let server: BenchServer

  func measure(_ report: inout Report) async throws {
    let client = try await server.connect(token: try server.adminToken())
    defer { client.close() }
    // A search in an empty scope is next to nothing but the embedding of its question.
    @Sendable func call(_ text: String) async throws {
      _ = try await client.retrieval.search(
        SearchRequest(query: text, entityTypes: ["goal"], mode: .vector))
    }
    func cost(_ text: String) async throws -> (cpu: Double, latency: Double) {
      let before = try server.usage()
      let run = try await ClosedLoop(workerCount: 1, duration: .seconds(4)).run { _ in
        try await call(text)
      }
      let used = try server.usage() - before
      return (used.server / Double(run.callCount) * 1e3, run.latencies.median / 1000)
    }
    _ = try await cost("a")
    let empty = try await cost("a")
    let long = try await cost(Self.text)
    let python = try? Programs.run(
      [".venv/bin/python", "Tests/Benchmarks/python/encoder.py"], input: Self.text)
    let theirs = python.flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    report.figures += [
      Figure(
        "retrieval.embed_200_tokens_ms", long.cpu - empty.cpu, unit: "CPU ms/text",
        peer: theirs == nil ? nil : "the same model from Python, one thread", theirs: theirs,
        isLessBetter: true),
      Figure("retrieval.embed_200_tokens_latency_ms", long.latency, unit: "ms/search"),
    ]
  }
}
