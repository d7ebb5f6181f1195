internal import Contract
internal import Domain
internal import RPC
internal import Retrieval

/// Finding by meaning and by words what the caller may see.
struct RetrievalService: RetrievalServiceHandler {
  private static let queryMax = 4000
  private static let codeQueryMax = 16_000
  private static let limitMax: Int32 = 100

  let courses: any CourseRepository
  let log: any EventLog
  let waiter: CursorWaiter
  let searcher: Searcher?
  let embeddings: (any EmbeddingStore)?
  let inspection: ServerInspection

  func searchSimilarGoals(
    _ request: SearchSimilarGoalsRequest, _ context: CallContext
  ) async throws -> SearchResponse {
    try await search(context, request.minCursor) { caller, _ in
      let named = try EntityID.optional(request.userId, field: "user_id")
      let learnerID = try caller.owner(named: named)
      context.concerns(userID: learnerID.description)
      return SearchQuestion(
        text: try Self.text(request.query, Self.queryMax),
        scopes: [.goals(learnerID: learnerID, statuses: [.completed])], learnerID: learnerID,
        limit: try Self.limit(request.limit, default: 5))
    }
  }

  func searchCourseDocuments(
    _ request: SearchCourseDocumentsRequest, _ context: CallContext
  ) async throws -> SearchResponse {
    try await search(context, request.minCursor) { caller, store in
      let text = try Self.text(request.query, Self.queryMax)
      let limit = try Self.limit(request.limit, default: 3)
      let courses = try await searchedCourses(request.courseId, caller, store)
      return SearchQuestion(
        text: text, scopes: courses.isEmpty ? [] : [.courses(courses)],
        learnerID: caller.userID, limit: limit)
    }
  }

  func searchValidatedCode(
    _ request: SearchValidatedCodeRequest, _ context: CallContext
  ) async throws -> SearchResponse {
    try await search(context, request.minCursor) { caller, store in
      SearchQuestion(
        text: try Self.text(request.query, Self.codeQueryMax),
        scopes: [
          .code(
            learnerID: caller.userID,
            courses: try await store.readableCourses(of: caller.userID),
            language: try Self.language(request.language), onlyValidated: true)
        ],
        learnerID: caller.userID, limit: try Self.limit(request.limit, default: 5))
    }
  }

  func search(_ request: SearchRequest, _ context: CallContext) async throws -> SearchResponse {
    try await search(context, request.minCursor) { caller, store in
      let kinds = try Self.kinds(request.entityTypes)
      let language = try Self.language(request.language)
      let text = try Self.text(
        request.query, kinds == [.codeSnapshot] ? Self.codeQueryMax : Self.queryMax)
      guard request.minSimilarity.isFinite, (-1...1).contains(request.minSimilarity) else {
        throw DomainError.invalid("min_similarity", "must be -1 to 1")
      }
      let mode = try Self.mode(request.mode)
      let limit = try Self.limit(request.limit, default: 10)
      // A search of goals alone looks into no course.
      let courses =
        kinds == [.goal] && request.courseId.isEmpty
        ? [] : try await searchedCourses(request.courseId, caller, store)
      var scopes: [SearchScope] = []
      // A course or a language narrows the search to what has one.
      if kinds.contains(.goal), request.courseId.isEmpty, language == nil {
        scopes.append(
          .goals(learnerID: caller.userID, statuses: Domain.WorkStatus.allCases))
      }
      if kinds.contains(.course), language == nil, !courses.isEmpty {
        scopes.append(.courses(courses))
      }
      if kinds.contains(.codeSnapshot), request.courseId.isEmpty {
        scopes.append(
          .code(
            learnerID: caller.userID, courses: courses, language: language, onlyValidated: false))
      }
      return SearchQuestion(
        text: text, scopes: scopes, learnerID: caller.userID, mode: mode, limit: limit,
        minimumSimilarity: request.minSimilarity == 0 ? nil : request.minSimilarity,
        reranks: request.rerank)
    }
  }

  func getEmbeddingStatus(
    _ request: GetEmbeddingStatusRequest, _ context: CallContext
  ) async throws -> GetEmbeddingStatusResponse {
    guard let embeddings, let searcher else { throw RPCError.withoutRetrieval }
    let counts = try await embeddings.counts()
    let pipelines = try await inspection.pipelines()
    let position = pipelines.first { $0.name == EmbeddingWorker.pipelineName }?.position ?? 0
    let recall = searcher.recall.value
    let total = counts.storedCount + counts.waitingCount
    return GetEmbeddingStatusResponse(
      model: counts.models.active.name,
      dimensions: Int32(clamping: counts.models.active.dimensionCount),
      stored: counts.storedCount, pending: counts.waitingCount,
      failures: counts.problems.map(EmbeddingFailure.init),
      lagEvents: max(0, try await log.head() - position),
      nextModel: counts.models.next?.name ?? "",
      nextModelProgress: counts.models.next == nil || total == 0
        ? 0 : min(1, Double(counts.nextCount) / Double(total)),
      liveRecall: recall.recall, liveRecallSamples: recall.sampleCount)
  }

  private func search(
    _ context: CallContext, _ minCursor: String,
    _ question: (Caller, any RetrievalStore) async throws -> SearchQuestion
  ) async throws -> SearchResponse {
    let caller = try context.caller
    guard let searcher, let embeddings else { throw RPCError.withoutRetrieval }
    let question = try await question(caller, searcher.store)
    try await waiter.waitForEmbeddings(minCursor, embeddings, context) {
      try await position()
    }
    let outcome = try await searcher.search(question)
    // Others' code, of which the reply names no author.
    for id in Set(
      outcome.hits.lazy.map(\.passage).filter { $0.kind == .codeSnapshot }.map(\.userID))
    {
      context.concerns(.author(id.description))
    }
    return SearchResponse(outcome)
  }

  private func position() async throws -> Int64 {
    try await inspection.pipelines().first { $0.name == EmbeddingWorker.pipelineName }?.position
      ?? 0
  }

  /// The named course, or all that the caller may read. One that they may not is not there.
  private func searchedCourses(
    _ courseID: String, _ caller: Caller, _ store: any RetrievalStore
  ) async throws -> [EntityID] {
    let readable = try await store.readableCourses(of: caller.userID)
    guard let id = try EntityID.optional(courseID, field: "course_id") else { return readable }
    if readable.contains(id) { return [id] }
    guard try await courses.course(id, scope: AccessScope(caller)) != nil else {
      throw DomainError.notFound(.course, id)
    }
    throw DomainError.forbidden("only those enrolled in a course and its owner may search in it")
  }

  private static func text(_ query: String, _ maximum: Int) throws(DomainError) -> String {
    // Code has its place in a query: control characters are only separators here.
    let isBlank = query.unicodeScalars.allSatisfy { $0.properties.isWhitespace }
    if isBlank { throw .invalid("query", "must not be empty") }
    guard query.utf8.count <= maximum * 4, query.unicodeScalars.count <= maximum else {
      throw .invalid("query", "is longer than \(maximum) characters")
    }
    return query
  }

  private static func limit(_ limit: Int32, default: Int) throws(DomainError) -> Int {
    guard (0...limitMax).contains(limit) else {
      throw .invalid("limit", "must be 0 to \(limitMax)")
    }
    return limit == 0 ? `default` : Int(limit)
  }

  private static func language(_ language: String) throws(DomainError) -> String? {
    guard language.utf8.count <= CodeLimits.language else {
      throw .invalid("language", "is longer than \(CodeLimits.language) characters")
    }
    return language.isEmpty ? nil : language.lowercased()
  }

  private static func kinds(_ names: [String]) throws(DomainError) -> Set<PassageKind> {
    if names.isEmpty { return Set(PassageKind.allCases) }
    guard names.count <= 10 else { throw .invalid("entity_types", "has more than 10 entries") }
    var kinds: Set<PassageKind> = []
    for (index, name) in names.enumerated() {
      guard let kind = PassageKind(rawValue: name) else {
        throw .invalid("entity_types[\(index)]", "must be goal, course or code_snapshot")
      }
      kinds.insert(kind)
    }
    return kinds
  }

  private static func mode(
    _ mode: Contract.SearchMode
  ) throws(DomainError) -> Retrieval.SearchMode {
    switch mode {
    case .unspecified, .hybrid: return .hybrid
    case .vector: return .vector
    case .text: return .text
    default: throw .invalid("mode", "is no mode that this server knows")
    }
  }
}

extension RPCError {
  static let withoutRetrieval = RPCError(.unimplemented, "this server does not search")
}

extension CursorWaiter {
  /// Waits until what a receipt wrote, or what the log holds up to a cursor, can be found by meaning.
  /// By words it can be found as soon as it is committed.
  func waitForEmbeddings(
    _ minCursor: String, _ embeddings: any EmbeddingStore, _ context: CallContext,
    position: () async throws -> Int64
  ) async throws {
    guard !minCursor.isEmpty else { return }
    let point = try cursors.point(minCursor)
    switch point {
    case .position(let place): try await check(place)
    case .event(let id, let epoch): try await checkKept(id, epoch)
    case .step: break
    }
    try await wait(for: "embeddings", context) {
      switch point {
      case .event(let id, _), .step(let id, _): try await embeddings.isEmbedded(event: id)
      case .position(let place): try await position() >= place.position
      }
    }
  }
}
