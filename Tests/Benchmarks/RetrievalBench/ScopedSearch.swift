import BenchmarkSupport
import Foundation
import HitoClient

/// The search of one learner among the rows of all, beside the same statements in pgbench.
///
/// Both do the same: the nearest vectors of the learner's goals (chosen by binary quantization),
/// then the texts of the best under row-level security. Ours also embeds the question, which is not
/// left out of the ratio; a second one stands beside it, where the peer embeds it too, from Python.
struct ScopedSearch {
  static let overheadMax = 1.15
  static let p99MillisecondsMax = 10.0
  private static let question = "crear una API REST completa con pruebas"

  let server: BenchServer
  let learners: [Learner]
  let rowsPerLearner: Int
  let seconds: Int
  let rounds: Int

  func measure(_ report: inout Report) async throws {
    var clients: [HitoClient] = []
    defer { for client in clients { client.close() } }
    for learner in learners.prefix(8) {
      clients.append(try await server.connect(token: learner.token))
    }
    let script = try pgbenchScript()
    defer { try? FileManager.default.removeItem(atPath: script) }
    let shared = clients
    @Sendable func search(_ worker: Int) async throws {
      let found = try await shared[worker % shared.count].retrieval.searchSimilarGoals(
        SearchSimilarGoalsRequest(query: Self.question))
      // Random vectors: nothing is close, and everything was compared.
      guard found.method == "quantized" else { throw BenchmarkError("searched by \(found.method)") }
    }
    @Sendable func searchVector(_ worker: Int) async throws {
      let found = try await shared[worker % shared.count].retrieval.search(
        SearchRequest(
          query: Self.question, entityTypes: ["goal"], limit: 5, mode: .vector,
          minSimilarity: -1))
      guard found.hits.count == 5, found.method == "quantized" else {
        throw BenchmarkError("\(found.hits.count) hits by \(found.method)")
      }
    }
    // Warm: every page that is going to be looked at was looked at.
    _ = try await ClosedLoop(workerCount: 8, duration: .seconds(3)).run(searchVector)
    _ = try await ClosedLoop(workerCount: 8, duration: .seconds(3)).run(search)
    _ = try server.database.pgbench(script: script, clientCount: 1, seconds: 2, variables: [])
    var ours: [Double] = []
    var theirs: [Double] = []
    var latencies: [Double] = []
    var medians: [Double] = []
    var serverCost: [Double] = []
    for _ in 0..<rounds {
      let before = try server.usage()
      let run = try await ClosedLoop(workerCount: 1, duration: .seconds(seconds)).run(searchVector)
      let used = try server.usage() - before
      ours.append((used.server + used.database) / Double(run.callCount) * 1e6)
      serverCost.append(used.server / Double(run.callCount) * 1e6)
      latencies.append(run.latencies.percentile(99) / 1000)
      medians.append(run.latencies.median / 1000)
      let start = try server.usage()
      let rate = try server.database.pgbench(
        script: script, clientCount: 1, seconds: seconds, variables: [])
      let cost = try server.usage() - start
      theirs.append(cost.database / (rate * Double(seconds)) * 1e6)
    }
    let hybrid = try await ClosedLoop(workerCount: 1, duration: .seconds(seconds)).run(search)
    let (mine, peer) = (Samples(ours).median, Samples(theirs).median)
    let p99 = Samples(latencies).median
    report.figures += [
      Figure(
        "retrieval.overhead_cpu_vs_sql", mine, unit: "CPU µs/search", peer: "pgbench, same SQL",
        theirs: peer, isLessBetter: true),
      Figure(
        "retrieval.server_cpu_us", Samples(serverCost).median,
        unit: "CPU µs/search of the server, query embedded"),
      Figure("retrieval.scoped_search_p99_ms", p99, unit: "ms"),
      Figure("retrieval.scoped_search_p50_ms", Samples(medians).median, unit: "ms"),
      Figure(
        "retrieval.scoped_hybrid_p99_ms", hybrid.latencies.percentile(99) / 1000, unit: "ms"),
      Figure(
        "retrieval.scoped_rows", Double(rowsPerLearner * learners.count), unit: "rows in total"),
    ]
    if let encoder = EncoderSide.pythonCost(of: Self.question) {
      report.figures.append(
        Figure(
          "retrieval.overhead_cpu_vs_sql_and_encoder", mine, unit: "CPU µs/search",
          peer: "pgbench, same SQL, and the question embedded from Python",
          theirs: peer + encoder * 1000, isLessBetter: true))
    }
    report.promises += [
      Promise(
        "search costs at most 15 % more CPU than its SQL (\(number(mine / peer)))",
        holds: mine / peer <= Self.overheadMax, isBinding: false),
      Promise(
        "p99 of a learner's search at most 10 ms (\(number(p99)))",
        holds: p99 <= Self.p99MillisecondsMax, isBinding: false),
    ]
  }

  /// The statements of a search with its parameters in place: a transaction as ours are.
  private func pgbenchScript() throws -> String {
    let vector = "(SELECT vector FROM bench_query)"
    try server.database.sql(
      """
      SET statement_timeout = 0;
      DROP TABLE IF EXISTS bench_query;
      -- In its row: otherwise each comparison would fetch it from beside the table.
      CREATE TABLE bench_query (vector vector(512) STORAGE PLAIN);
      INSERT INTO bench_query SELECT embedding FROM embeddings LIMIT 1;
      GRANT SELECT ON bench_query TO hito_app, hito_reader;
      """, as: .owner)
    let learnersTable = learners.prefix(8).map { "'\($0.id)'" }.joined(separator: ",")
    let text = """
      \\set n random(1, 8)
      SELECT (ARRAY[\(learnersTable)]::uuid[])[:n] AS learner \\gset
      BEGIN;
      SELECT set_config('hito.scope', 'system', true), set_config('hito.caller', '', true);
      SELECT set_config('role', 'hito_reader', true);
      SELECT n.entity_id, n.chunk_number, 1 - n.distance, 0::float8, false
      FROM (
        SELECT e.entity_id, e.chunk_number, (e.embedding <=> \(vector)) + 0 AS distance
        FROM (
          SELECT r.entity_id, r.chunk_number
          FROM embeddings r
          WHERE r.entity_type = 'goal' AND NOT r.is_copy AND r.user_id = :learner::uuid
            AND EXISTS (SELECT 1 FROM embedding_models m
              WHERE m.name = 'use-multilingual-3-int8' AND m.state = 'active' AND m.dimensions = 512)
            AND (SELECT count(*) FROM (
              SELECT 1 FROM embeddings WHERE user_id = :learner::uuid AND entity_type = 'goal'
                AND NOT is_copy LIMIT 1001) many) > 1000
          ORDER BY r.signs <~> (SELECT binary_quantize(\(vector))), r.entity_id, r.chunk_number
          LIMIT 250) c
        JOIN embeddings e ON e.entity_type = 'goal' AND e.entity_id = c.entity_id
          AND e.chunk_number = c.chunk_number AND e.user_id = :learner::uuid AND NOT e.is_copy
        ORDER BY distance, e.entity_id, e.chunk_number LIMIT 40) n
      ORDER BY n.distance, n.entity_id, n.chunk_number;
      COMMIT;
      BEGIN;
      SELECT set_config('hito.scope', 'own', true), set_config('hito.caller', :learner::text, true);
      SELECT p.entity_type, p.entity_id, p.chunk_number, p.user_id, p.title, p.content, p.language,
        p.document_path, p.anchor,
        ARRAY(SELECT key FROM jsonb_each_text(a.more) ORDER BY key),
        ARRAY(SELECT value FROM jsonb_each_text(a.more) ORDER BY key)
      FROM (SELECT 'goal' AS kind, id, 0 AS number FROM goals
          WHERE user_id = :learner::uuid LIMIT 20) n
      JOIN passages p ON p.entity_type = n.kind AND p.entity_id = n.id
        AND p.chunk_number = n.number
      LEFT JOIN goals g ON n.kind = 'goal' AND g.id = n.id,
      LATERAL (SELECT jsonb_build_object('status', g.status,
        'progress_percentage', g.progress_percentage::text) AS more) a
      WHERE g.id IS NOT NULL AND g.status IS DISTINCT FROM 'deleted';
      COMMIT;
      """
    let path = "/tmp/hito-bench-search-\(ProcessInfo.processInfo.processIdentifier).sql"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }
}
