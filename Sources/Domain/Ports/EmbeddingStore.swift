/// A model that the store holds vectors of.
package struct StoredModel: Sendable, Hashable {
  package var name: String
  package var dimensionCount: Int

  package init(name: String, dimensionCount: Int) {
    self.name = name
    self.dimensionCount = dimensionCount
  }
}

/// Which vectors the store has.
package struct StoredModels: Sendable, Hashable {
  package var active: StoredModel
  /// The one that is being switched to.
  package var next: StoredModel?

  package init(active: StoredModel, next: StoredModel?) {
    self.active = active
    self.next = next
  }
}

/// A passage whose vector has to be made.
package struct WaitingPassage: Sendable, Hashable {
  package var key: PassageKey
  package var content: String
  package var contentHash: [UInt8]
  /// How often that was tried before.
  package var attemptCount: Int

  package init(key: PassageKey, content: String, contentHash: [UInt8], attemptCount: Int) {
    self.key = key
    self.content = content
    self.contentHash = contentHash
    self.attemptCount = attemptCount
  }
}

/// A vector that was made for a waiting passage.
package struct MadeEmbedding: Sendable, Hashable {
  package var key: PassageKey
  /// Of the text that was embedded: the vector is dropped where the text has changed since.
  package var contentHash: [UInt8]
  package var vector: [Float]

  package init(key: PassageKey, contentHash: [UInt8], vector: [Float]) {
    self.key = key
    self.contentHash = contentHash
    self.vector = vector
  }
}

/// A passage whose vector could not be made so far.
package struct EmbeddingProblem: Sendable, Hashable {
  package var key: PassageKey
  package var error: String
  package var attemptCount: Int
  package var nextAttemptAt: Timestamp

  package init(key: PassageKey, error: String, attemptCount: Int, nextAttemptAt: Timestamp) {
    self.key = key
    self.error = error
    self.attemptCount = attemptCount
    self.nextAttemptAt = nextAttemptAt
  }
}

/// How far the vectors are.
package struct EmbeddingCounts: Sendable, Hashable {
  package var models: StoredModels
  package var storedCount: Int64
  package var waitingCount: Int64
  /// Vectors that the next model has made; 0 where there is none.
  package var nextCount: Int64
  /// Those tried most often first, a bounded number.
  package var problems: [EmbeddingProblem]

  package init(
    models: StoredModels, storedCount: Int64, waitingCount: Int64, nextCount: Int64,
    problems: [EmbeddingProblem]
  ) {
    self.models = models
    self.storedCount = storedCount
    self.waitingCount = waitingCount
    self.nextCount = nextCount
    self.problems = problems
  }
}

/// The vectors behind the passages, for whoever makes them.
package protocol EmbeddingStore: Sendable {
  func models() async throws(StoreError) -> StoredModels

  /// Takes passages that wait and are due at `now`, the longest due first; others do not get them
  /// before `until`, unless they are stored or failed earlier. With `includingTaken` also those that
  /// another process has taken and not come back with: for a server that starts anew.
  func takeWaiting(
    limit: Int, at now: Timestamp, until: Timestamp, includingTaken: Bool
  ) async throws(StoreError) -> [WaitingPassage]

  /// Stores vectors of the active model; those of texts that have changed, or of a model that is no
  /// longer the active one, are dropped, and their passages continue to wait.
  func store(_ made: [MadeEmbedding], model: String, at now: Timestamp) async throws(StoreError)

  /// Notes why vectors could not be made, and when to try again.
  func fail(
    _ keys: [PassageKey], error: String, nextAttemptAt: Timestamp
  ) async throws(StoreError)

  /// Whether any passage waits that was never tried.
  func hasUntried() async throws(StoreError) -> Bool

  /// Whether everything that an event changed has its vector; false also where there is no such
  /// event.
  func isEmbedded(event: EntityID) async throws(StoreError) -> Bool

  func counts() async throws(StoreError) -> EmbeddingCounts
}

/// Moving to another model: its vectors are made beside those in use, then take their place at once.
package protocol EmbeddingSwitch: Sendable {
  /// Makes a table for the vectors of `model`; one that was begun for another model is dropped, one
  /// that was begun for this is kept.
  func begin(_ model: StoredModel) async throws(StoreError)
  /// Passages after `key` (nil: from the first) whose text has no vector of the next model.
  func missing(
    after key: PassageKey?, limit: Int
  ) async throws(StoreError) -> [WaitingPassage]
  /// Stores vectors of `model`; none where that is not the next one (any more).
  func storeNext(
    _ made: [MadeEmbedding], model: String, at now: Timestamp
  ) async throws(StoreError)
  /// Makes the index of the next model's vectors; takes its time.
  func buildIndex() async throws(StoreError)
  /// Puts the next model's vectors in the place of the active one's, in one transaction that nobody
  /// waits for long, however many there are. Passages that it lacks wait. Fails where the next model
  /// is not `model` (any more).
  func complete(_ model: StoredModel) async throws(StoreError)
  /// Does what is left of a completed switch where a server died meanwhile.
  func finish() async throws(StoreError)
}
