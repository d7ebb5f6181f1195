/// Names a passage.
package struct PassageKey: Sendable, Hashable {
  package var kind: PassageKind
  package var entityID: EntityID
  package var chunkNumber: Int32

  package init(kind: PassageKind, entityID: EntityID, chunkNumber: Int32) {
    self.kind = kind
    self.entityID = entityID
    self.chunkNumber = chunkNumber
  }
}

extension Passage {
  package var key: PassageKey {
    PassageKey(kind: kind, entityID: entityID, chunkNumber: chunkNumber)
  }
}

/// Which passages a search may look at: always of one kind, and never more than `learnerID` may see.
package enum SearchScope: Sendable, Hashable {
  /// The learner's own goals in these states.
  case goals(learnerID: EntityID, statuses: [WorkStatus])
  /// Parts of these courses, which the caller has found that the learner may read.
  case courses([EntityID])
  /// Code of the learner's own, what others share as examples to this learner, and reference
  /// solutions of these courses.
  case code(learnerID: EntityID, courses: [EntityID], language: String?, onlyValidated: Bool)
}

extension SearchScope {
  package var kind: PassageKind {
    switch self {
    case .goals: .goal
    case .courses: .course
    case .code: .codeSnapshot
    }
  }
}

/// What to look for.
package struct CandidateQuery: Sendable, Hashable {
  package var scope: SearchScope
  /// Nil: by words only.
  package var vector: PassageEmbedding?
  /// Nil: by meaning only.
  package var words: String?
  /// How many candidates each way at most.
  package var limit: Int
  /// Compare every vector, however many there are: what recall is measured against.
  package var mustBeExact: Bool

  package init(
    scope: SearchScope, vector: PassageEmbedding?, words: String?, limit: Int,
    mustBeExact: Bool = false
  ) {
    self.scope = scope
    self.vector = vector
    self.words = words
    self.limit = limit
    self.mustBeExact = mustBeExact
  }
}

package struct Candidate: Sendable, Hashable {
  package var key: PassageKey
  /// Cosine similarity to the query; nil where the passage has no vector of the query's model.
  package var similarity: Double?
  /// How well the words match: comparable within one search only; 0 where it was found by meaning.
  package var wordScore: Double
  /// Whether the passage has every word of the query.
  package var hasAllWords: Bool
  /// The share of the query's words that the passage has, each by its rarity in the scope: 0 to 1.
  package var coverage: Double

  package init(
    key: PassageKey, similarity: Double?, wordScore: Double = 0, hasAllWords: Bool = false,
    coverage: Double = 0
  ) {
    self.key = key
    self.similarity = similarity
    self.wordScore = wordScore
    self.hasAllWords = hasAllWords
    self.coverage = coverage
  }
}

/// How the vectors were searched.
package enum SearchMethod: String, Sendable, Hashable {
  /// Every vector of the scope was compared.
  case exact
  /// Every vector was compared after binary quantization, and the nearest of those as they are.
  case quantized
  /// Through the index, iteratively.
  case hnsw
  /// No vector was compared.
  case text

  /// Whether a nearer vector may have been passed over.
  package var isApproximate: Bool { self == .hnsw || self == .quantized }
}

/// What was found, each way best first.
package struct Candidates: Sendable, Hashable {
  package var byMeaning: [Candidate]
  package var byWords: [Candidate]
  package var method: SearchMethod

  package init(byMeaning: [Candidate], byWords: [Candidate], method: SearchMethod) {
    self.byMeaning = byMeaning
    self.byWords = byWords
    self.method = method
  }
}

/// Why a search by meaning was not made.
package enum CandidateOutcome: Sendable, Hashable {
  case found(Candidates)
  /// The vector is of a model that is not (or no longer) the active one: embed the query again.
  case otherModel
}

/// A passage with more of its entity.
package struct DescribedPassage: Sendable, Hashable {
  package var passage: Passage
  package var attributes: [String: String]

  package init(passage: Passage, attributes: [String: String]) {
    self.passage = passage
    self.attributes = attributes
  }
}

/// Searching what was stored to be found.
package protocol RetrievalStore: Sendable {
  /// The courses whose material a learner may read: those enrolled in and those owned.
  func readableCourses(of learnerID: EntityID) async throws(StoreError) -> [EntityID]

  /// Keys and similarities, no texts.
  func candidates(_ query: CandidateQuery) async throws(StoreError) -> CandidateOutcome

  /// The texts of passages, as far as the database itself lets the learner read them: what it
  /// withholds is missing from the result. Of code that others wrote, what was said of it is missing.
  func passages(
    _ keys: [PassageKey], as learnerID: EntityID
  ) async throws(StoreError) -> [PassageKey: DescribedPassage]
}
