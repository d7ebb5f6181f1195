import Domain
import Foundation
import PostgresStore
import Testing

/// The three searches of docs/design-notes.md, run as they stand, find what an exact search finds, in
/// its order: also while the vectors move to another model, and afterwards.
@Suite struct NotesQueriesTests {
  static let rowCount = 1500

  @Test func theyFindWhatAnExactSearchFinds() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada", role: .instructor)
      let bob = try await store.addUser("Bob")
      let session = try await store.script()
      try await Self.fill(session, owners: [ada, bob], dimensionCount: 512)
      for user in [ada, bob] { try await Self.compare(session, user: user, dimensionCount: 512) }
    }
  }

  @Test func theyGoOnWhileTheVectorsMoveToAnotherModel() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada", role: .instructor)
      let session = try await store.script()
      try await Self.fill(session, owners: [ada], dimensionCount: 512, rowCount: 300)
      try await Self.compare(session, user: ada, dimensionCount: 512)
      let change = PostgresEmbeddingSwitch(
        store.database,
        owner: ConnectionSettings(conninfo: store.connection.conninfo(role: .owner)))
      try await change.begin(StoredModel(name: "next", dimensionCount: 1536))
      try await Self.compare(session, user: ada, dimensionCount: 512)
      var last: PassageKey?
      var moved = 0
      while true {
        let batch = try await change.missing(after: last, limit: 100)
        guard let end = batch.last else { break }
        let made = batch.enumerated().map { offset, passage in
          MadeEmbedding(
            key: passage.key, contentHash: passage.contentHash,
            vector: Self.vector(seed: moved + offset, dimensionCount: 1536))
        }
        try await change.storeNext(made, model: "next", at: StoreFixture.start)
        moved += batch.count
        last = end.key
        try await Self.compare(session, user: ada, dimensionCount: 512)
      }
      #expect(moved == 900)
      try await change.buildIndex()
      try await Self.compare(session, user: ada, dimensionCount: 512)
      try await change.complete(StoredModel(name: "next", dimensionCount: 1536))
      try await Self.compare(session, user: ada, dimensionCount: 1536)
      let indexes = try await session.run(
        """
        SELECT indexdef FROM pg_indexes WHERE tablename = 'embeddings'
          AND indexname = 'embeddings_embedding_idx'
        """)
      #expect(
        indexes.first?[0]?.contains(
          "hnsw (embedding vector_cosine_ops) WHERE (entity_type <> 'goal'::text)") == true)
    }
  }

  /// A point of a smooth surface of two dimensions: neighbours are near in few directions, as those
  /// of texts are. (Points anywhere on the sphere are all equally far, and no index orders them.)
  private static func vector(seed: Int, dimensionCount: Int) -> [Float] {
    let place = Double(seed)
    let (x, y) = (
      (place * 0.618_034).truncatingRemainder(dividingBy: 1),
      (place * 0.754_878).truncatingRemainder(dividingBy: 1)
    )
    return (1...dimensionCount).map { Float(component($0, x, y)) }
  }

  private static func component(_ index: Int, _ x: Double, _ y: Double) -> Double {
    sin(6 * x + Double(index)) + cos(4 * y + 2 * Double(index))
  }

  /// Goals (a third of them completed), courses and snapshots of each owner, with vectors here and there.
  private static func fill(
    _ session: ScriptSession, owners: [User], dimensionCount: Int, rowCount: Int = rowCount
  ) async throws {
    try await session.run("SET statement_timeout = 0")
    try await session.run("SELECT setseed(0.5)")
    for owner in owners {
      try await session.run(
        """
        CREATE TEMP TABLE fresh AS
          SELECT gen_random_uuid() AS id, i FROM generate_series(1, \(rowCount)) i;
        INSERT INTO goals (id, user_id, title, description, status, progress_percentage,
            validation_criteria, ai_feedback, version, revision, created_at, updated_at)
          SELECT id, '\(owner.id)', 'meta', '',
            CASE WHEN i % 3 = 0 THEN 'completed' ELSE 'pending' END, 0, '{}', '', 1, 1, now(), now()
          FROM fresh;
        INSERT INTO courses (id, user_id, title, description, language, metadata, status, version,
            created_at, updated_at)
          SELECT id, '\(owner.id)', 'curso', '', 'es', '{"technologies": []}', 'active', 1, now(),
            now() FROM fresh;
        INSERT INTO code_snapshots (id, user_id, file_path, code_content, language,
            validation_passed, validation_score, version, created_at, updated_at, code_hash, verdict,
            provenance)
          SELECT id, '\(owner.id)', 'f.py', 'x', 'python', i % 3 <> 0, (i % 10) / 10.0, 1, now(),
            now(), sha256('x'), CASE WHEN i % 3 = 0 THEN 'failed' ELSE 'passed' END, '{}'
          FROM fresh;
        INSERT INTO passages (entity_type, entity_id, chunk_number, user_id, title, content,
            content_hash, language, document_path, anchor, waits, created_at, updated_at)
          SELECT kind, id, 0, '\(owner.id)', '', 'x', sha256('x'), 'es', '', '', false, now(), now()
          FROM fresh, unnest(ARRAY['goal', 'course', 'code_snapshot']) kind;
        INSERT INTO embeddings (id, entity_type, entity_id, user_id, content, embedding, model,
            content_hash, created_at, updated_at)
          SELECT gen_random_uuid(), p.entity_type, p.entity_id, p.user_id, 'x',
            (SELECT array_agg(sin(6 * place.x + j) + cos(4 * place.y + 2 * j) ORDER BY j)
              FROM generate_series(1, \(dimensionCount)) j)::vector, 'use-multilingual-3-int8',
            sha256('x'), now(), now()
          FROM passages p, LATERAL (SELECT random() + 0 * p.chunk_number AS x, random() AS y) place
          WHERE p.user_id = '\(owner.id)';
        DROP TABLE fresh;
        """)
    }
    try await session.run("ANALYZE embeddings")
    try await session.run("ANALYZE goals")
    try await session.run("ANALYZE code_snapshots")
  }

  /// Runs the three queries as anyone would, and with every index over vectors off.
  private static func compare(
    _ session: ScriptSession, user: User, dimensionCount: Int
  ) async throws {
    let literal =
      "["
      + vector(seed: 77, dimensionCount: dimensionCount).map { "\($0)" }
      .joined(separator: ",") + "]"
    let queries = try DesignNotesTests.statements().filter { $0.hasPrefix("SELECT") }
    #expect(queries.count == 3)
    for query in queries {
      let bound = query.replacing(":query_embedding", with: "'\(literal)'::vector")
        .replacing(":user_id", with: "'\(user.id)'::uuid").replacing(":language", with: "'python'")
      let found = try await session.run(bound)
      try await session.run("SET enable_indexscan = off")
      let exact = try await session.run(bound)
      try await session.run("SET enable_indexscan = on")
      #expect(
        !found.isEmpty && found == exact,
        "\(query): \(found.map { $0[0] }) not \(exact.map { $0[0] })")
    }
  }
}
