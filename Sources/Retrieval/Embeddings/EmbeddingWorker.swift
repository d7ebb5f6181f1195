package import Domain
package import Logging
import Logs
import Synchronization

/// Makes the vectors of what was written, following the event log.
///
/// A passage is written in the transaction of the event that changed its text, and waits there until
/// its vector is stored; the log says when to look, the passages what to do. So nothing is missed
/// whatever dies when, and nothing is embedded twice. A provider that is away delays: its passages
/// are tried again with growing pauses, and the errors are kept to be seen.
package final class EmbeddingWorker: Sendable {
  /// The name that its position is shown under.
  package static let pipelineName = "embeddings"

  private static let batchCount = 64
  /// For how long taken passages are left to who took them.
  private static let lease = Duration.seconds(30)
  /// How long it rests where nothing was written; failed passages become due meanwhile.
  private static let idleInterval = Duration.milliseconds(500)
  /// How long it lets pass after something was written, before it looks. In these moments the event is on
  /// its way to who watches, who goes first; and one look serves all that is written meanwhile: under load
  /// every commit has events, nearly none of which leave anything waiting, and a look costs the database
  /// half of what a goal does.
  private static let gatherTime = Duration.milliseconds(100)
  private static let pauseMax = Duration.seconds(60)
  private static let retryMax = Duration.seconds(600)

  private struct State {
    /// What is taken already is taken as well: nobody else is at it, or what came of it was dropped.
    var takesOver = true
    var advancedTo: Int64 = 0
    var lastError: String?
  }

  private let models: EmbeddingModels
  private let store: any EmbeddingStore
  private let log: any EventLog
  private let live: any LiveLog
  private let time: any TimeSource
  private let clock: any Clock<Duration>
  private let failures: MeteredLogger
  private let state = Mutex(State())
  private let observer = Mutex<(@Sendable (Int64) -> Void)?>(nil)

  package init(
    models: EmbeddingModels, store: any EmbeddingStore, log: any EventLog,
    live: any LiveLog, time: any TimeSource,
    clock: any Clock<Duration> = ContinuousClock(), logger: Logger
  ) {
    self.models = models
    self.store = store
    self.log = log
    self.live = live
    self.time = time
    self.clock = clock
    failures = MeteredLogger(logger)
  }

  /// What went wrong last; nil once something went well again.
  package var lastError: String? { state.withLock { $0.lastError } }

  /// Every passage of the events up to here was embedded, or tried. Nobody needs it after a start,
  /// where the first look at what waits says it anew, so that it is not stored: that was a transaction
  /// for each goal.
  package var position: Int64 { state.withLock { $0.advancedTo } }

  /// Has `observer` told of each new `position`. It must be quick. One observer.
  package func onAdvance(_ observer: @escaping @Sendable (Int64) -> Void) {
    self.observer.withLock { $0 = observer }
  }

  /// Runs until the task is cancelled.
  package func run() async throws {
    var pause = Duration.milliseconds(250)
    while !Task.isCancelled {
      do {
        let head = try await head()
        let count = try await step()
        note(nil)
        pause = .milliseconds(250)
        if count == 0 { try await rest(after: head) }
      } catch {
        if Task.isCancelled { break }
        note("\(error)")
        try? await clock.sleep(for: pause * Double.random(in: 0.5...1))
        pause = min(pause * 2, Self.pauseMax)
      }
    }
    throw CancellationError()
  }

  private func head() async throws(StoreError) -> Int64 {
    if let head = live.head { return head }
    return try await log.head()
  }

  /// Nothing is due: what was written up to `head` was at least tried, unless others are at it.
  private func rest(after head: Int64) async throws {
    // The log has lost events, and the cursor in the database went back with it.
    if head < position { state.withLock { $0.advancedTo = head } }
    if head > position, try await store.hasUntried() == false {
      state.withLock { $0.advancedTo = max($0.advancedTo, head) }
      observer.withLock { $0 }?(head)
    }
    let live = live
    await race(upTo: Self.idleInterval, clock: clock) { await live.wait(after: head) }
    try Task.checkCancellation()
    if let newHead = live.head, newHead > head { try await clock.sleep(for: Self.gatherTime) }
  }

  /// Embeds one batch of what is due; how many passages there were.
  package func step() async throws -> Int {
    let active = try await models.active()
    guard let provider = models.provider(of: active.name) else {
      throw EmbedderError.unavailable("this server has no provider for the model \(active.name)")
    }
    let now = time.now()
    // What a server that was killed had taken is taken over at once.
    let batch = try await store.takeWaiting(
      limit: Self.batchCount, at: now, until: now.advanced(by: Self.lease),
      includingTaken: state.withLock { $0.takesOver })
    guard !batch.isEmpty else {
      state.withLock { $0.takesOver = false }
      return 0
    }
    do {
      var trial = Trial(count: batch.count)
      try await embed(batch[...], provider.embedder, active, &trial)
    } catch {
      // What was not tried is due at once, and not after its lease.
      state.withLock { $0.takesOver = true }
      throw error
    }
    return batch.count
  }

  /// How a batch fares that is split where its texts are not taken.
  private struct Trial {
    /// Texts of the whole batch.
    let count: Int
    var takenCount = 0
    var failedCount = 0

    private static let failedMax = 4

    init(count: Int) { self.count = count }

    /// None is taken: that is not for the texts, and asking on is of no use for a while.
    var isHopeless: Bool {
      count > 1 && takenCount == 0 && failedCount >= min(count, Self.failedMax)
    }
  }

  private func embed(
    _ batch: ArraySlice<WaitingPassage>, _ embedder: any Embedder, _ active: StoredModel,
    _ trial: inout Trial
  ) async throws {
    let embeddings: [TextEmbedding]
    do throws(EmbedderError) {
      embeddings = try await embedder.embed(batch.map(\.embeddedText))
    } catch {
      if error == .cancelled { throw CancellationError() }
      return try await failed(batch, embedder, active, error, &trial)
    }
    guard embeddings.count == batch.count,
      embeddings.allSatisfy({ $0.vector.count == active.dimensionCount })
    else {
      let error = EmbedderError.unavailable(
        "the provider's vectors are not of \(active.dimensionCount) dimensions")
      return try await failed(batch, embedder, active, error, &trial)
    }
    let made = zip(batch, embeddings).map { passage, embedding in
      MadeEmbedding(
        key: passage.key, contentHash: passage.contentHash, vector: embedding.vector)
    }
    try await store.store(made, model: active.name, at: time.now())
    trial.takenCount += batch.count
    // Another server may have switched the model meanwhile.
    if try await store.models().active.name != active.name {
      models.forget()
      // These vectors were dropped: what was taken for them is due again, and not after its lease.
      state.withLock { $0.takesOver = true }
    }
  }

  /// One text that a provider cannot take must not hold up those beside it: halves are tried, down to
  /// the text that it is, which alone waits.
  private func failed(
    _ batch: ArraySlice<WaitingPassage>, _ embedder: any Embedder, _ active: StoredModel,
    _ error: EmbedderError, _ trial: inout Trial
  ) async throws {
    if batch.count > 1, !error.isOfProvider {
      let middle = batch.startIndex + batch.count / 2
      try await embed(batch[..<middle], embedder, active, &trial)
      try await embed(batch[middle...], embedder, active, &trial)
      return
    }
    let attempts = batch.map(\.attemptCount).max() ?? 0
    let wait = min(Duration.seconds(1) * (1 << min(attempts, 10)), Self.retryMax)
    try await store.fail(
      batch.map(\.key), error: error.text, nextAttemptAt: time.now().advanced(by: wait))
    failures.write(
      .warning, "passages were not embedded", kind: error.isOfProvider ? "provider" : "text",
      metadata: ["count": "\(batch.count)", "error": "\(error.text)"])
    trial.failedCount += batch.count
    // The whole provider is away: nothing else is taken for a while.
    if error.isOfProvider || trial.isHopeless { throw error }
  }

  private func note(_ error: String?) { state.withLock { $0.lastError = error } }
}

extension EmbedderError {
  /// Whether other texts would fare no better.
  var isOfProvider: Bool {
    switch self {
    case .unavailable, .overloaded, .cancelled: true
    case .refused, .failed, .tooManyTexts: false
    }
  }

  /// For admins; holds no text that was embedded.
  var text: String {
    switch self {
    case .unavailable(let text), .refused(let text), .failed(let text): text
    case .overloaded: "too many texts are waiting to be embedded"
    case .tooManyTexts(let maximum): "more than \(maximum) texts at once"
    case .cancelled: "cancelled"
    }
  }
}
