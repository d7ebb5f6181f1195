package import Domain

/// What a search is asked.
package struct SearchQuestion: Sendable {
  package var text: String
  /// What may be looked at; every scope is the learner's.
  package var scopes: [SearchScope]
  package var learnerID: EntityID
  package var mode: SearchMode
  /// How many distinct entities: goals, files of code, sections of documents.
  package var limit: Int
  /// Nil: the model's own.
  package var minimumSimilarity: Double?
  package var reranks: Bool
  /// Left out of the results.
  package var excluded: EntityID?

  package init(
    text: String, scopes: [SearchScope], learnerID: EntityID, mode: SearchMode = .hybrid,
    limit: Int,
    minimumSimilarity: Double? = nil, reranks: Bool = false, excluded: EntityID? = nil
  ) {
    self.text = text
    self.scopes = scopes
    self.learnerID = learnerID
    self.mode = mode
    self.limit = limit
    self.minimumSimilarity = minimumSimilarity
    self.reranks = reranks
    self.excluded = excluded
  }
}

/// What a search found.
package struct SearchOutcome: Sendable {
  package var hits: [RetrievedPassage]
  package var method: SearchMethod
  /// The query was longer than the model reads.
  package var isTruncated: Bool
  /// Empty where no vectors were compared.
  package var model: String
}

/// The search cannot be made right now; the text is for whoever asked.
package struct SearchUnavailable: Error, Sendable, Hashable {
  package var text: String
}

/// The one way in which everybody searches: candidates by meaning and words, fused, then read as the
/// learner may read them, cut to what is close.
package struct Searcher: Sendable {
  /// The most candidates that one search looks at, each way and scope: as many as one document has
  /// sections, so that a long one hides no other.
  private static let candidateMax = 10_000
  /// Texts that are read at once, at first and at least; then twice as many each time, so that many
  /// chunks of one section are not as many round trips.
  private static let pageMinimum = 20
  /// Characters of the question that are searched for as words; all of it is embedded.
  private static let wordCharacterMax = 4000

  package let store: any RetrievalStore
  private let models: EmbeddingModels
  package let recall: LiveRecall

  package init(store: any RetrievalStore, models: EmbeddingModels, recall: LiveRecall) {
    self.store = store
    self.models = models
    self.recall = recall
  }

  package func search(_ question: SearchQuestion) async throws -> SearchOutcome {
    // Once more where the model was switched in between.
    for _ in 0..<3 {
      let query = try await embed(question)
      var limit = question.limit * 4 + 20
      while true {
        guard let found = try await candidates(question, query, limit: limit) else {
          models.forget()
          break
        }
        let close = close(question, query, found)
        let page = try await hits(question, query, close.ranked)
        let isWhole = zip(found, close.isClose).allSatisfy { found, isClose in
          // Of a scope that is not close, what has all words is there at most.
          guard isClose else {
            return found.byWords.count < limit || found.byWords.last?.hasAllWords != true
          }
          return found.byWords.count < limit
            // Behind one that is not close nothing is.
            && (found.byMeaning.count < limit
              || found.byMeaning.last?.similarity ?? 1 < query.floor(of: question))
        }
        // Many chunks of few sections: look further, while there is more.
        if page.count >= question.limit || isWhole || limit >= Self.candidateMax {
          recall.count(found, question, vector: query.vector, in: store)
          return SearchOutcome(
            hits: page, method: Self.method(of: found), isTruncated: query.isTruncated,
            model: query.vector?.model ?? "")
        }
        limit = min(limit * 4, Self.candidateMax)
      }
    }
    throw SearchUnavailable(text: "the embedding model is being switched; try again")
  }

  /// The question in the form of the active model.
  private struct Query: Sendable {
    var vector: PassageEmbedding?
    var isTruncated = false
    /// The model's own, or what was asked for.
    var minimumSimilarity = -1.0
    /// How near the question is to what is about nothing here; nil where that is not known.
    var everyday: Double?
    var embedder: (any Embedder)?

    /// What nothing that is found by meaning alone is below.
    func floor(of question: SearchQuestion) -> Double {
      question.minimumSimilarity ?? minimumSimilarity * Closeness.floorShare
    }
  }

  private func embed(_ question: SearchQuestion) async throws -> Query {
    guard question.mode != .text else { return Query() }
    let active = try await models.active()
    guard let provider = models.provider(of: active.name) else {
      return try withoutVector(question, "this server has no provider for the model in use")
    }
    let embeddings: [TextEmbedding]
    do throws(EmbedderError) {
      embeddings = try await provider.embedder.embed([question.text])
    } catch {
      if error == .cancelled { throw CancellationError() }
      return try withoutVector(question, "the embedding provider cannot be reached")
    }
    guard let embedding = embeddings.first else {
      return try withoutVector(question, "the embedding provider gave no vector")
    }
    // One number of the caller's decides without it.
    let everyday =
      question.minimumSimilarity == nil
      ? await models.everydaySimilarities(of: embedding.vector, provider) : nil
    return Query(
      vector: PassageEmbedding(model: active.name, vector: embedding.vector),
      isTruncated: embedding.isTruncated,
      minimumSimilarity: question.minimumSimilarity ?? provider.minimumSimilarity,
      everyday: everyday.flatMap { Closeness.nearness(of: $0) }, embedder: provider.embedder)
  }

  /// Words still find; the answer says that they did. Who wants meaning alone is told.
  private func withoutVector(_ question: SearchQuestion, _ why: String) throws(SearchUnavailable)
    -> Query
  {
    if question.mode == .vector { throw SearchUnavailable(text: why) }
    return Query()
  }

  private func candidates(
    _ question: SearchQuestion, _ query: Query, limit: Int
  ) async throws -> [Candidates]? {
    var found: [Candidates] = []
    for scope in question.scopes {
      let outcome = try await store.candidates(
        CandidateQuery(
          scope: scope, vector: query.vector,
          words: question.mode == .vector
            ? nil : String(question.text.prefix(Self.wordCharacterMax)), limit: limit))
      guard case .found(let candidates) = outcome else { return nil }
      found.append(candidates)
    }
    return found
  }

  /// The best that are close, one of each entity, in order.
  private func hits(
    _ question: SearchQuestion, _ query: Query, _ ranked: [RankedCandidate]
  ) async throws -> [RetrievedPassage] {
    let wanted = question.reranks ? max(question.limit, Reranker.depth) : question.limit
    var results = ResultGroups()
    var different = NearDuplicates()
    var rest = ranked[...]
    var pageLimit = max(wanted * 2, Self.pageMinimum)
    while different.count < wanted, different.sameCount < NearDuplicates.sameMax, !rest.isEmpty {
      let page = rest.prefix(pageLimit)
      rest = rest.dropFirst(page.count)
      pageLimit *= 2
      let texts = try await store.passages(page.map(\.key), as: question.learnerID)
      for candidate in page {
        // What the database withholds is not there, whatever was ranked.
        if let text = texts[candidate.key] { results.add(candidate, text) }
      }
      guard results.count >= wanted || rest.isEmpty else { continue }
      different = NearDuplicates()
      for hit in results.hits { different.add(hit) }
    }
    var hits = Array(different.hits.prefix(wanted))
    if question.reranks, let vector = query.vector, let embedder = query.embedder {
      hits = await Reranker(embedder: embedder).reranked(hits, by: vector.vector)
    }
    return Array(hits.prefix(question.limit))
  }

  /// What may be an answer, in order, and which scopes have one. What is close is told for each scope by
  /// itself, and by one number where the caller names it.
  private func close(
    _ question: SearchQuestion, _ query: Query, _ found: [Candidates]
  ) -> (ranked: [RankedCandidate], isClose: [Bool]) {
    let all = [Bool](repeating: true, count: found.count)
    var ranked = RankFusion.fuse(found, mode: question.mode)
    ranked.removeAll { $0.key.entityID == question.excluded }
    // Without a vector of the question nothing can be told of closeness: words found it.
    guard query.vector != nil else { return (ranked, all) }
    if let minimum = question.minimumSimilarity {
      return (ranked.filter { $0.isClose(minimumSimilarity: minimum) }, all)
    }
    let closeness = Closeness(threshold: query.minimumSimilarity, everyday: query.everyday)
    var isClose: [Bool] = []
    var kept: Set<PassageKey> = []
    for (scope, found) in zip(question.scopes, found) {
      let keys = Set((found.byMeaning + found.byWords).map(\.key))
      let own = ranked.filter { keys.contains($0.key) }
      isClose.append(closeness.isClose(own, found, kind: scope.kind))
      kept.formUnion(closeness.close(own, found, kind: scope.kind).map(\.key))
    }
    return (ranked.filter { kept.contains($0.key) }, isClose)
  }

  private static func method(of found: [Candidates]) -> SearchMethod {
    // The least exact of those that were used.
    let methods = Set(found.map(\.method))
    return [.hnsw, .quantized, .exact].first(where: methods.contains) ?? .text
  }
}
