import Domain

extension SearchStatements {
  /// The most passages whose words are weighed: of more that have any of the question's, those that have
  /// most of them.
  static let scoredMax = 1_000
  /// Up to so many passages of a scope also those are found that share nothing but small words.
  private static let smallWordScopeMax = 250
  /// The most passages of a scope that are looked at one by one. (`COALESCE` keeps the planner off the index.)
  private static let fewMax = 2_000
  /// The most examples that are looked at for their words.
  static let wordMax = 2_000

  /// By words: `$n` the question, `$n+1` the limit. The similarity goes with each, where it can be told.
  ///
  /// Okapi BM25, with the rarity that each word has in the scope. Times of a word and the length of a
  /// passage are those of its `tsvector`: `ts_rank` of one word is the sum of 1/i² over its times i, which is
  /// turned back into their number. A word in the title counts `titleTimes` times. Of the forms of a word the best one
  /// counts; the share of the question that a passage has (coverage) is by rarity too. How many passages the
  /// scope has is counted from an index, and no further than `exampleMax`: rarity is a logarithm of it.
  static func words<Values>(
    _ scope: Scope<Values>
  ) -> Query<QueryVector, Values, String, Int64> {
    let counted =
      scope.counted ?? "passages r WHERE r.entity_type = '\(scope.kind)' AND \(scope.condition)"
    return Query(
      "search.words_\(scope.name)",
      """
      WITH terms AS MATERIALIZED (SELECT t.* FROM hito_terms($\(scope.next)) t),
      size AS MATERIALIZED (
        SELECT count(*)::float8 AS passages FROM (
          SELECT FROM \(counted)
          LIMIT \(exampleMax)) s),
      q AS MATERIALIZED (
        SELECT s.passages, (
          SELECT string_agg(t.term::text, '|')::tsquery FROM terms t
          WHERE t.kind <> 'small' OR s.passages <= \(smallWordScopeMax)) AS some, (
          SELECT string_agg(w.forms, '&')::tsquery FROM (
            SELECT '(' || string_agg(t.term::text, '|') || ')' AS forms FROM terms t
            WHERE t.kind = 'word' GROUP BY t.word) w) AS every
        FROM size s),
      matched AS MATERIALIZED (
        SELECT r.entity_id, r.chunk_number, r.words || ''::tsvector AS words
        FROM q, \(matching(scope))
        ORDER BY ts_rank(r.words, q.some) DESC, r.entity_id, r.chunk_number LIMIT \(scoredMax)),
      length AS MATERIALIZED (SELECT avg(length(m.words))::float8 AS mean FROM matched m),
      found AS MATERIALIZED (
        SELECT m.entity_id, m.chunk_number, t.n, t.word, t.kind, t.weight
          * f.times * 2.2 / (f.times + 1.2 * (0.5 + 0.5 * length(m.words) / l.mean)) AS weight
        FROM length l, matched m JOIN terms t ON m.words @@ t.term,
          LATERAL (SELECT \(times("{1,1,1,1}")) + \(titleTimes - 1) * \(times("{0,0,0,1}"))) AS f (times)),
      rarity AS MATERIALIZED (
        SELECT f.n, ln(1 + greatest(0, q.passages - count(*) + 0.5) / (count(*) + 0.5)) AS rarity
        FROM found f, q GROUP BY f.n, q.passages),
      asked AS MATERIALIZED (
        -- What no passage has is rarest.
        SELECT t.word, coalesce(min(y.rarity), ln(2 + 2 * q.passages)) AS rarity
        FROM q, terms t LEFT JOIN rarity y USING (n) WHERE t.kind = 'word'
        GROUP BY t.word, q.passages),
      whole AS (SELECT sum(a.rarity) AS rarity, count(*) AS words FROM asked a),
      has AS (
        SELECT f.entity_id, f.chunk_number, f.word, max(f.weight * y.rarity) AS score
        FROM found f JOIN rarity y USING (n) GROUP BY 1, 2, 3),
      ranked AS (
        SELECT h.entity_id, h.chunk_number, sum(h.score) AS score,
          coalesce(sum(a.rarity) / (SELECT w.rarity FROM whole w), 0) AS coverage,
          count(a.word) = (SELECT w.words FROM whole w) AS has_all
        FROM has h LEFT JOIN asked a USING (word) GROUP BY 1, 2
        ORDER BY score DESC, h.entity_id, h.chunk_number LIMIT $\(scope.next + 1))
      SELECT f.entity_id, f.chunk_number,
        CASE WHEN \(isActive) THEN 1 - (e.embedding <=> (SELECT $1::vector)) END, f.score::float8,
        f.has_all, f.coverage::float8
      FROM ranked f
      LEFT JOIN embeddings e ON e.entity_type = '\(scope.kind)' AND e.entity_id = f.entity_id
        AND e.chunk_number = f.chunk_number AND NOT e.is_copy
      ORDER BY f.score DESC, f.entity_id, f.chunk_number
      """)
  }

  private static let titleTimes = 8

  /// How often the term `t` is in the words `m`, where it has weights: 1 + 1/4 + … + 1/n² is nearly
  /// π²/6 − 1/(n + ½), and `ts_rank` is its share of π²/6.
  private static func times(_ weights: String) -> String {
    "(1 / (1.6449341 * (1 - least(ts_rank('\(weights)', m.words, t.term), 0.998))) - 0.5 - 0.1079)"
  }

  /// The rows `r` that have any of the words.
  ///
  /// A word that very many share is no way to the few rows of a scope: only those of many passages are searched
  /// through the index over words. Of more than `exampleMax` passages those are taken that have all the
  /// words, and as many of the others. Where the scope is as large as the platform, it is searched in part: what has
  /// all the words, through their index, and what is newest.
  private static func matching<Values>(_ scope: Scope<Values>) -> String {
    let rows = """
      SELECT r.entity_id, r.chunk_number, r.words FROM passages r \(scope.join)
      WHERE r.entity_type = '\(scope.kind)' AND \(scope.condition)
      """
    guard let narrowing = scope.narrowing else {
      let isLarge = "q.passages >= \(exampleMax)"
      return """
        LATERAL (
          (\(rows) AND q.passages BETWEEN 1 AND \(fewMax) AND COALESCE(r.words, '') @@ q.some)
          UNION ALL (\(rows) AND \(isLarge) AND r.words @@ q.every LIMIT \(scoredMax))
          UNION ALL (
            \(rows) AND q.passages > \(fewMax) AND r.words @@ q.some
              AND NOT (\(isLarge) AND r.words @@ q.every)
            LIMIT \(exampleMax))) r
        """
    }
    return """
      LATERAL (\(rows) AND COALESCE(r.words, '') @@ q.some AND r.entity_id IN (
        \(narrowing(wordMax))
        UNION (SELECT p.entity_id FROM passages p
          WHERE p.words @@ (SELECT q.every FROM q) AND p.entity_type = '\(scope.kind)'
          LIMIT \(wordMax)))) r
      """
  }
}
