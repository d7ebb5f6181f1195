package import Domain
package import Logging
import Logs
import Synchronization

/// Brings the vectors to the model that the server is configured for: the next model's vectors are
/// made beside those in use, and take their place when they are complete.
package final class EmbeddingSwitcher: Sendable {
  private static let batchCount = 64
  /// How often what was written meanwhile is gone after.
  private static let sweepMax = 5

  private let desired: any Embedder
  private let models: EmbeddingModels
  private let store: any EmbeddingStore
  private let change: any EmbeddingSwitch
  private let time: any TimeSource
  private let clock: any Clock<Duration>
  private let logger: Logger
  private let error = Mutex<String?>(nil)

  package init(
    desired: any Embedder, models: EmbeddingModels, store: any EmbeddingStore,
    change: any EmbeddingSwitch, time: any TimeSource,
    clock: any Clock<Duration> = ContinuousClock(), logger: Logger
  ) {
    self.desired = desired
    self.models = models
    self.store = store
    self.change = change
    self.time = time
    self.clock = clock
    self.logger = logger
  }

  /// What went wrong last; nil while all is well.
  package var lastError: String? { error.withLock { $0 } }

  /// Returns once the active model is the desired one; a failure is tried again.
  package func run() async throws {
    let outage = OutageLog(
      logger, "the switch to the embedding model \(desired.model.name)")
    var pause = Duration.seconds(1)
    var isSaid = false
    while !Task.isCancelled {
      do {
        if try await store.models().active.name == desired.model.name {
          try await change.finish()
          return
        }
        if !isSaid {
          logger.notice(
            "making the vectors of another model", metadata: ["model": "\(desired.model.name)"])
        }
        isSaid = true
        try await switchOver()
        error.withLock { $0 = nil }
        outage.worked()
      } catch {
        if Task.isCancelled { break }
        outage.failed("\(error)")
        self.error.withLock { $0 = "\(error)" }
        try? await clock.sleep(for: pause)
        pause = min(pause * 2, .seconds(60))
      }
    }
    throw CancellationError()
  }

  private func switchOver() async throws {
    let model = StoredModel(
      name: desired.model.name, dimensionCount: desired.model.dimensionCount)
    try await change.begin(model)
    // What is written meanwhile is swept up while that is much; the rest waits for the worker.
    for number in 0..<Self.sweepMax {
      let count = try await sweep(isFirst: number == 0)
      if count < Self.batchCount { break }
    }
    try await change.buildIndex()
    // What was written while the index was built.
    _ = try await sweep(isFirst: false)
    try await change.complete(model)
    models.forget()
    logger.notice("searching with another model", metadata: ["model": "\(model.name)"])
  }

  /// Embeds everything that the next model lacks; how many passages got their vector. What the model
  /// does not take is left to the worker, with its error, after the switch.
  private func sweep(isFirst: Bool) async throws -> Int {
    // A switch that continues where it was may have nothing left but what the model refuses.
    let isUntried = isFirst ? try await store.counts().nextCount == 0 : false
    var last: PassageKey?
    var count = 0
    while true {
      try Task.checkCancellation()
      let batch = try await change.missing(after: last, limit: Self.batchCount)
      guard let end = batch.last else {
        if isUntried, last != nil, count == 0 {
          throw EmbedderError.refused("the provider takes none of the texts")
        }
        return count
      }
      let made = try await embed(batch[...])
      // None of all is taken: that is not for the texts.
      if made.isEmpty, isUntried && count == 0 && batch.count == Self.batchCount {
        throw EmbedderError.refused("the provider takes none of the texts")
      }
      if !made.isEmpty {
        try await change.storeNext(made, model: desired.model.name, at: time.now())
      }
      last = end.key
      count += made.count
    }
  }

  /// What of the batch is taken: halves of it are tried where it is not taken as a whole.
  private func embed(_ batch: ArraySlice<WaitingPassage>) async throws -> [MadeEmbedding] {
    let embeddings: [TextEmbedding]
    do throws(EmbedderError) {
      embeddings = try await desired.embed(batch.map(\.embeddedText))
    } catch {
      guard !error.isOfProvider else { throw error }
      guard batch.count > 1 else { return [] }
      let middle = batch.startIndex + batch.count / 2
      let made = try await embed(batch[..<middle]) + embed(batch[middle...])
      // A provider that fails at whatever it is given has no texts to blame.
      if made.isEmpty, batch.count == Self.batchCount, case .failed = error { throw error }
      return made
    }
    guard embeddings.count == batch.count,
      embeddings.allSatisfy({ $0.vector.count == desired.model.dimensionCount })
    else { throw EmbedderError.unavailable("the provider's vectors have other dimensions") }
    return zip(batch, embeddings).map { passage, embedding in
      MadeEmbedding(key: passage.key, contentHash: passage.contentHash, vector: embedding.vector)
    }
  }
}
