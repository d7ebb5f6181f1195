package import Domain

/// Compares everything with everything; words are found by containment.
extension InMemoryStore: RetrievalStore {
  package func readableCourses(of learnerID: EntityID) async throws(StoreError) -> [EntityID] {
    try access(.read) { $0.readableCourses(of: learnerID) }
  }

  package func candidates(
    _ query: CandidateQuery
  ) async throws(StoreError) -> CandidateOutcome {
    try access(.read) { state in
      if let vector = query.vector, vector.model != state.activeModel.name { return .otherModel }
      let inScope = state.passages.filter { state.isIn(query.scope, $0.key) }
      let byMeaning = inScope.compactMap { key, upsert -> Candidate? in
        guard let own = upsert.embedding, let wanted = query.vector, own.model == wanted.model
        else { return nil }
        return Candidate(
          key: key.public,
          similarity: Double(zip(own.vector, wanted.vector).reduce(0) { $0 + $1.0 * $1.1 }))
      }
      let words = (query.words ?? "").lowercased().split(separator: " ")
      let byWords = inScope.compactMap { key, upsert -> Candidate? in
        let text = (upsert.passage.title + " " + upsert.passage.content).lowercased()
        let count = words.count { text.contains($0) }
        guard count > 0 else { return nil }
        return Candidate(
          key: key.public, similarity: nil, wordScore: Double(count),
          hasAllWords: count == words.count,
          coverage: Double(count) / Double(words.count))
      }
      return .found(
        Candidates(
          byMeaning: Array(
            byMeaning.sorted { ($0.similarity ?? 0) > ($1.similarity ?? 0) }.prefix(query.limit)),
          byWords: Array(byWords.sorted { $0.wordScore > $1.wordScore }.prefix(query.limit)),
          method: query.vector == nil ? .text : .exact))
    }
  }

  package func passages(
    _ keys: [Domain.PassageKey], as learnerID: EntityID
  ) async throws(StoreError) -> [Domain.PassageKey: DescribedPassage] {
    try access(.read) { state in
      let readable = state.readableCourses(of: learnerID)
      var found: [Domain.PassageKey: DescribedPassage] = [:]
      for key in keys {
        let own = PassageKey(kind: key.kind, entityID: key.entityID, number: key.chunkNumber)
        guard let passage = state.passages[own]?.passage else { continue }
        let mayRead: Bool
        var attributes: [String: String] = [:]
        switch key.kind {
        case .goal:
          mayRead = passage.userID == learnerID
          attributes["status"] = state.goals[key.entityID]?.status.rawValue
        case .course: mayRead = readable.contains(key.entityID)
        case .codeSnapshot:
          let snapshot = state.snapshots[key.entityID]
          mayRead =
            passage.userID == learnerID
            || snapshot?.isSharedExample(trusting: state.trustedGraders(of: learnerID)) ?? false
            || snapshot?.referenceCourseID.map(readable.contains) ?? false
          attributes["language"] = snapshot?.language
          attributes["verdict"] = snapshot?.judgement?.verdict.rawValue
          attributes["reference_solution"] = (snapshot?.referenceCourseID != nil).description
          if passage.userID == learnerID {
            attributes["validation_feedback"] = snapshot?.judgement?.feedback
            attributes["validation_score"] = snapshot?.judgement?.score.map { "\($0)" }
          }
        }
        if mayRead {
          found[key] = DescribedPassage(passage: passage, attributes: attributes)
        }
      }
      return found
    }
  }
}

extension InMemoryStore: EmbeddingStore {
  package func models() async throws(StoreError) -> StoredModels {
    try access(.read) { StoredModels(active: $0.activeModel, next: nil) }
  }

  package func takeWaiting(
    limit: Int, at now: Timestamp, until: Timestamp, includingTaken: Bool
  ) async throws(StoreError) -> [WaitingPassage] {
    try access(.read) { state in
      let due = state.passages.filter { key, upsert in
        guard upsert.embedding == nil, let attempt = state.attempts[key] else {
          return upsert.embedding == nil
        }
        return attempt.next <= now
          || includingTaken && attempt.count == 0 && attempt.next < until
      }.prefix(limit)
      return due.map { key, upsert in
        let before = state.attempts[key]
        state.attempts[key] = InMemoryStore.Attempt(
          count: before?.count ?? 0, error: before?.error ?? "", next: until)
        return WaitingPassage(
          key: key.public, content: upsert.passage.content, contentHash: upsert.contentHash,
          attemptCount: before?.count ?? 0)
      }
    }
  }

  package func store(
    _ made: [MadeEmbedding], model: String, at now: Timestamp
  ) async throws(StoreError) {
    try access(.commit) { state in
      guard model == state.activeModel.name else { return }
      for made in made {
        let key = PassageKey(
          kind: made.key.kind, entityID: made.key.entityID, number: made.key.chunkNumber)
        guard state.passages[key]?.contentHash == made.contentHash else { continue }
        state.passages[key]?.embedding = PassageEmbedding(model: model, vector: made.vector)
        state.attempts[key] = nil
      }
    }
  }

  package func fail(
    _ keys: [Domain.PassageKey], error: String, nextAttemptAt: Timestamp
  ) async throws(StoreError) {
    try access(.commit) { state in
      for key in keys {
        let own = PassageKey(kind: key.kind, entityID: key.entityID, number: key.chunkNumber)
        state.attempts[own] = InMemoryStore.Attempt(
          count: (state.attempts[own]?.count ?? 0) + 1, error: error, next: nextAttemptAt)
      }
    }
  }

  package func hasUntried() async throws(StoreError) -> Bool {
    try access(.read) { state in
      state.passages.contains { key, upsert in
        upsert.embedding == nil && (state.attempts[key]?.count ?? 0) == 0
      }
    }
  }

  package func isEmbedded(event: EntityID) async throws(StoreError) -> Bool {
    try access(.read) { state in
      guard let event = (state.sequenced + state.waiting).first(where: { $0.id == event }) else {
        return false
      }
      let facts = EventFacts(of: event)
      let ids = [event.entityID, facts.goalID, facts.courseID]
      return !state.passages.contains { $0.value.embedding == nil && ids.contains($0.key.entityID) }
    }
  }

  package func counts() async throws(StoreError) -> EmbeddingCounts {
    try access(.read) { state in
      EmbeddingCounts(
        models: StoredModels(active: state.activeModel, next: nil),
        storedCount: Int64(state.passages.values.count { $0.embedding != nil }),
        waitingCount: Int64(state.passages.values.count { $0.embedding == nil }), nextCount: 0,
        problems: state.attempts.filter { $0.value.count > 0 }.map { key, attempt in
          EmbeddingProblem(
            key: key.public, error: attempt.error, attemptCount: attempt.count,
            nextAttemptAt: attempt.next)
        })
    }
  }
}

extension InMemoryStore.PassageKey {
  fileprivate var `public`: PassageKey {
    PassageKey(kind: kind, entityID: entityID, chunkNumber: number)
  }
}

extension InMemoryStore.State {
  fileprivate func readableCourses(of learnerID: EntityID) -> [EntityID] {
    courses.values.filter { course in
      course.status != .deleted
        && (course.userID == learnerID
          || enrolments.values.contains {
            $0.courseID == course.id && $0.userID == learnerID && $0.isActive
          })
    }.map(\.id)
  }

  /// The instructors whose verdicts a learner takes.
  func trustedGraders(of learnerID: EntityID) -> Set<EntityID> {
    Set(readableCourses(of: learnerID).compactMap { courses[$0]?.userID })
  }

  fileprivate func isIn(_ scope: SearchScope, _ key: InMemoryStore.PassageKey) -> Bool {
    switch scope {
    case .goals(let learnerID, let statuses):
      return key.kind == .goal && goals[key.entityID]?.userID == learnerID
        && goals[key.entityID].map { statuses.contains($0.status) } ?? false
    case .courses(let ids):
      return key.kind == .course && ids.contains(key.entityID)
    case .code(let learnerID, let ids, let language, let onlyValidated):
      guard key.kind == .codeSnapshot, let snapshot = snapshots[key.entityID] else { return false }
      let isVisible =
        snapshot.userID == learnerID
        || snapshot.isSharedExample(trusting: trustedGraders(of: learnerID))
        || snapshot.referenceCourseID.map(ids.contains) ?? false
      let isValidated =
        snapshot.judgement?.verdict == .passed && snapshot.judgement?.score ?? 0 > 0.8
      return isVisible && language.map { $0 == snapshot.language } ?? true
        && (!onlyValidated || isValidated)
    }
  }
}
