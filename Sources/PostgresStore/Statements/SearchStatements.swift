import Domain

/// Searching passages. These give keys and similarities only, never a text: texts are read by
/// `texts`, as the learner who searches.
///
/// In all of them `$1` is the query's vector or NULL and `$2` its model: where that is not the
/// active one, or its vectors are of another size, nothing is compared.
enum SearchStatements {
  typealias QueryVector = Parameters<[Float]?, String>

  /// The most examples that are counted and compared whole: one more than a whole scope may have.
  static let exampleMax = 20_001

  static let isActive = """
    EXISTS (SELECT 1 FROM embedding_models m
      WHERE m.name = $2 AND m.state = 'active' AND m.dimensions = cardinality($1))
    """

  /// The rows of a scope: `e` (embeddings) or `p` (passages), and the conditions on its entity.
  /// Its parameters come after `$2`.
  struct Scope<Values: SQLParameters>: Sendable {
    let name: String
    let kind: String
    /// Of the row `r`.
    let join: String
    let condition: String
    /// A condition by which indexes find the rows where the scope's own names none: the ids, with at
    /// most so many of each kind that grows with the platform.
    var narrowing: (@Sendable (_ max: Int) -> String)?
    /// What is counted instead of the passages for the rarity of words, where that costs less: about as
    /// many rows, from an index.
    var counted: String?

    /// The condition on the rows, at most `max` of what grows.
    func conditions(max: Int) -> String {
      narrowing.map { "\(condition) AND r.entity_id IN (\($0(max)))" } ?? condition
    }

    /// The number of the first parameter after those of the scope.
    var next: Int { Values.types.count + 3 }
  }

  /// `$3` learner, `$4` statuses.
  static let goals = Scope<Parameters<EntityID, [WorkStatus]>>(
    name: "goals", kind: "goal",
    join: "JOIN goals g ON g.id = r.entity_id",
    condition: "r.user_id = $3 AND g.status = ANY ($4) AND g.user_id = $3",
    counted: countedGoals)

  /// As `goals`, of all statuses but `deleted`: a deleted goal has no passages, so that nothing need be
  /// asked of the goals themselves.
  static let allGoals = Scope<Parameters<EntityID, [WorkStatus]>>(
    name: "all_goals", kind: "goal", join: "", condition: "r.user_id = $3", counted: countedGoals)

  /// A goal has one passage, seldom more.
  private static let countedGoals = "goals g WHERE g.user_id = $3 AND g.status = ANY ($4)"

  /// `$3` courses.
  static let courses = Scope<[EntityID]>(
    name: "courses", kind: "course", join: "",
    condition: "r.entity_id = ANY ($3)")

  /// `$3` learner, `$4` courses of reference solutions, `$5` language or NULL, `$6` only validated.
  static let code = Scope<Parameters<EntityID, [EntityID], String?, Bool>>(
    name: "code", kind: "code_snapshot",
    join: "JOIN code_snapshots s ON s.id = r.entity_id",
    condition: """
      (s.user_id = $3 OR \(Visibility.isSharedExample("s", reader: "$3"))
        OR s.course_id = ANY ($4))
      AND ($5 IS NULL OR s.language = $5)
      AND (NOT $6 OR s.validation_passed AND s.validation_score > 0.8)
      """,
    narrowing: codeInReach,
    // In all languages, validated or not.
    counted: "(\(codeInReach(max: wordMax))) s")

  /// The learner's own, the courses', and the newest examples: of those that are everybody's, and of
  /// each grader whom the learner trusts. As many of them as are compared whole, and one more.
  private static func codeInReach(max: Int) -> String {
    let isExample = "s.shared AND s.verdict = 'passed'"
    let source = "s.provenance->>'source'"
    let instructor = "'\(Provenance.instructorSource)'"
    let newest = "ORDER BY s.id DESC LIMIT \(max)"
    return """
      SELECT s.id FROM code_snapshots s WHERE s.user_id = $3
      UNION SELECT s.id FROM code_snapshots s WHERE s.course_id = ANY ($4)
      UNION (SELECT s.id FROM code_snapshots s
        WHERE \(isExample) AND \(source) <> \(instructor) AND s.language = $5 \(newest))
      UNION (SELECT s.id FROM code_snapshots s
        WHERE \(isExample) AND \(source) <> \(instructor) AND $5 IS NULL \(newest))
      UNION (SELECT s.id FROM unnest(hito_trusted_graders($3)) AS grader (id) CROSS JOIN LATERAL (
        SELECT s.id FROM code_snapshots s
        WHERE \(isExample) AND \(source) = \(instructor)
          AND (s.provenance->>'actor_id')::uuid = grader.id \(newest)) s)
      """
  }

  /// How many vectors a scope has, counted up to its last parameter.
  static func size<Values>(_ scope: Scope<Values>) -> Query<QueryVector, Values, Int64> {
    Query(
      "search.size_\(scope.name)",
      """
      SELECT count(*) FROM (
        SELECT 1 FROM embeddings r \(scope.join)
        WHERE r.entity_type = '\(scope.kind)' AND NOT r.is_copy
          AND \(scope.conditions(max: exampleMax)) AND ($1::real[] IS NULL OR $2 <> '')
        LIMIT $\(scope.next)) counted
      """)
  }

  /// The goals that are nearest after binary quantization of their vectors (`$n+1` of them), then
  /// in the order of the whole vectors. The first step reads indexes only. Nothing where the
  /// learner has no more than `$n+2` goals, of whatever status.
  static let quantizedGoals = quantized("goals", goals.join, goals.condition)

  /// As `quantizedGoals`, of whatever status: a deleted goal has no vector either, and asking the goals
  /// is a third of the time.
  static let quantizedAllGoals = quantized("all_goals", "", "r.user_id = $3")

  typealias QuantizedGoals = Query<
    QueryVector, Parameters<EntityID, [WorkStatus]>, Int64, Int64, Int64
  >

  private static func quantized(
    _ name: String, _ join: String, _ condition: String
  ) -> QuantizedGoals {
    QuantizedGoals(
      "search.quantized_\(name)",
      """
      SELECT n.entity_id, n.chunk_number, 1 - n.distance, 0::float8, false, 0::float8
      FROM (
        SELECT e.entity_id, e.chunk_number, (e.embedding <=> (SELECT $1::vector)) + 0 AS distance
        FROM (
          SELECT r.entity_id, r.chunk_number
          FROM embeddings r \(join)
          WHERE r.entity_type = 'goal' AND NOT r.is_copy AND \(condition) AND \(isActive)
            AND (SELECT count(*) FROM (
              SELECT 1 FROM embeddings WHERE user_id = $3 AND entity_type = 'goal' AND NOT is_copy
              LIMIT $\(goals.next + 2) + 1) many) > $\(goals.next + 2)
          ORDER BY r.signs <~> (SELECT binary_quantize($1::vector)), r.entity_id, r.chunk_number
          LIMIT $\(goals.next + 1)) c
        JOIN embeddings e ON e.entity_type = 'goal' AND e.entity_id = c.entity_id
          AND e.chunk_number = c.chunk_number AND e.user_id = $3 AND NOT e.is_copy
        ORDER BY distance, e.entity_id, e.chunk_number
        LIMIT $\(goals.next)) n
      ORDER BY n.distance, n.entity_id, n.chunk_number
      """)
  }

  /// Every vector of the scope is compared: adding 0 keeps the planner off the index. The query is
  /// made a vector once (`SELECT`), and each distance is computed once: beside the order, not again
  /// for the answer.
  static func exact<Values>(_ scope: Scope<Values>) -> Query<QueryVector, Values, Int64> {
    Query(
      "search.exact_\(scope.name)",
      """
      SELECT n.entity_id, n.chunk_number, 1 - n.distance, 0::float8, false, 0::float8
      FROM (
        SELECT r.entity_id, r.chunk_number,
          (r.embedding <=> (SELECT $1::vector)) + 0 AS distance
        FROM embeddings r \(scope.join)
        WHERE r.entity_type = '\(scope.kind)' AND NOT r.is_copy
          AND \(scope.conditions(max: exampleMax)) AND \(isActive)
        ORDER BY distance, r.entity_id, r.chunk_number
        LIMIT $\(scope.next)) n
      ORDER BY n.distance, n.entity_id, n.chunk_number
      """)
  }

  /// Through the index over halves, which has no goals, iteratively (`iterate` goes before it in the
  /// unit); then in the order of the whole vectors.
  static func approximate<Values>(
    _ scope: Scope<Values>, dimensionCount: Int
  ) -> Query<QueryVector, Values, Int64> {
    let half = "halfvec(\(dimensionCount))"
    return Query(
      "search.hnsw_\(scope.name)_\(dimensionCount)",
      """
      SELECT n.entity_id, n.chunk_number, 1 - n.distance, 0::float8, false, 0::float8
      FROM (
        SELECT h.entity_id, h.chunk_number, (h.embedding <=> (SELECT $1::vector)) AS distance
        FROM (
          SELECT r.entity_id, r.chunk_number, r.embedding
          FROM embeddings r \(scope.join)
          WHERE r.entity_type = '\(scope.kind)' AND r.entity_type <> 'goal' AND NOT r.is_copy
            AND \(scope.condition) AND \(isActive)
          ORDER BY (r.embedding::\(half)) <=> $1::vector::\(half)
          LIMIT $\(scope.next)) h) n
      ORDER BY n.distance, n.entity_id, n.chunk_number
      """)
  }

  /// For the rest of the unit: continue through the index until enough rows hold the conditions.
  /// `$1` is how many are wanted, `$2` how many may be looked at.
  static let iterate = Query<Int32, Int32>(
    "search.iterate",
    """
    SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),
      set_config('hnsw.ef_search', least(greatest($1 * 2, 100), 1000)::text, true),
      set_config('hnsw.max_scan_tuples', $2::text, true),
      set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)
    """)

  static let activeModel = Statement(
    "search.model",
    "SELECT name, dimensions, state FROM embedding_models ORDER BY state")

  /// Courses that `$1` is enrolled in or owns.
  static let readableCourses = Query<EntityID>(
    "search.courses", "SELECT unnest(hito_readable_courses($1))")

  /// The texts of passages, as far as row-level security lets the viewer read them, who is `$4`. What was
  /// said of code is its author's to read.
  static let texts = Query<PassageStatements.Keys, EntityID>(
    "search.texts",
    """
    SELECT \(DescribedPassageRow.columns)
    FROM unnest($1, $2, $3) AS n (kind, id, number)
    JOIN passages p ON p.entity_type = n.kind AND p.entity_id = n.id AND p.chunk_number = n.number
    LEFT JOIN goals g ON n.kind = 'goal' AND g.id = n.id
    LEFT JOIN courses c ON n.kind = 'course' AND c.id = n.id
    LEFT JOIN code_snapshots s ON n.kind = 'code_snapshot' AND s.id = n.id,
    LATERAL (SELECT CASE p.entity_type
        WHEN 'goal' THEN jsonb_build_object('status', g.status,
          'progress_percentage', g.progress_percentage::text)
        WHEN 'course' THEN jsonb_build_object('course_title', c.title,
          'technologies', COALESCE((SELECT string_agg(t, ', ')
            FROM jsonb_array_elements_text(c.metadata->'technologies') t), ''))
        ELSE jsonb_strip_nulls(jsonb_build_object('language', s.language, 'verdict', s.verdict,
          'reference_solution', s.reference_solution::text,
          'validation_score', CASE WHEN s.user_id = $4 THEN s.validation_score::text END,
          'validation_feedback',
            CASE WHEN s.user_id = $4 THEN left(s.validation_feedback, 2000) END))
      END AS more) a
    WHERE COALESCE(g.id, c.id, s.id) IS NOT NULL AND g.status IS DISTINCT FROM 'deleted'
      AND c.status IS DISTINCT FROM 'deleted'
    """)

  static let all: [any StatementSource] =
    [exact(goals), words(goals), words(allGoals)] + all(of: courses) + all(of: code)
    + [quantizedGoals, quantizedAllGoals, iterate, activeModel, readableCourses, texts]

  private static func all<Values>(of scope: Scope<Values>) -> [any StatementSource] {
    [exact(scope), words(scope), size(scope), approximate(scope, dimensionCount: 512)]
  }
}
