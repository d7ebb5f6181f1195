package import Domain
import Glibc
import Synchronization
import Threads

/// Google's Universal Sentence Encoder, multilingual, version 3, with weights of 8 bits, computed in
/// this process: 16 languages, Spanish and English among them, no network and no other program.
///
/// The same text gives the same vector on the same kind of processor, whatever runs beside it; on
/// another kind the last digits differ.
package final class UniversalSentenceEncoder: Embedder {
  /// Texts that one call may bring.
  package static let textCountMax = 256

  /// The model itself reads on for ever, and blurs; this is far more than a section has, and bounds
  /// memory and time.
  private static let tokenCountMax = 512
  /// The model of earlier versions, whose weights were not quantized: so nearly the same vectors
  /// (cosine 0.999) that questions can be asked of them while they are made anew.
  package static let formerName = "use-multilingual-3"
  /// Calls that may wait for a thread: of everybody, and of one caller.
  private static let waitingCallMax = 1024
  private static let callerWaitingCallMax = 128

  package let model = EmbeddingModel(
    name: "use-multilingual-3-int8", dimensionCount: Dimensions.output, tokenCountMax: tokenCountMax
  )

  private let tokenizer: UnigramTokenizer
  /// Each with memory of its own: a pass takes milliseconds, too long for the cooperative pool.
  private let threads: WorkerThreads<EncoderPass>
  /// Whose texts have their turn: callers wait for one another here, and for a thread hardly ever.
  private let turns: FairQueue<EntityID?>

  /// Opens the model in `folder` and checks it as a whole; blocks for some tenths of a second.
  package init(folder: String, threadCount: Int? = nil) throws(ModelFileError) {
    let file = try ModelFile(path: folder + "/" + ModelFile.name)
    let tokenizer = try UnigramTokenizer(file)
    let weights = try EncoderWeights(file, vocabularyCount: tokenizer.vocabularyCount)
    self.tokenizer = tokenizer
    threads = WorkerThreads(
      count: max(threadCount ?? Self.processorCount(), 1),
      waitingMax: Self.waitingCallMax
    ) { EncoderPass(weights, tokenCountMax: Self.tokenCountMax) }
    guard threads.count > 0 else { throw .noThread }
    turns = FairQueue(
      FairQueueMachine.Limits(
        insideMax: threads.count, callerInsideMax: threads.count,
        waitingMax: Self.waitingCallMax, callerWaitingMax: Self.callerWaitingCallMax))
  }

  /// Where the model is looked for, in order: where `named` says, or else where `make setup` puts it.
  package static func candidates(named: String?, home: String?) -> [String] {
    if let named { return [named] }
    return (home.map { [$0 + "/.local/lib/hito/use-multilingual-3"] } ?? [])
      + ["/usr/local/lib/hito/use-multilingual-3"]
  }

  /// The first candidate with a model in it.
  package static func locate(candidates: [String]) throws(ModelFileError) -> String {
    for folder in candidates where access(folder + "/" + ModelFile.name, F_OK) == 0 {
      return folder
    }
    throw .missing(searched: candidates)
  }

  /// See `Embedder`. Other calls run beside this one, its own texts one batch after the other; a
  /// cancelled call ends after the batch that it is in. Callers (`CallOrigin`) take turns, and so does
  /// the server's own work.
  package func embed(_ texts: [String]) async throws(EmbedderError) -> [TextEmbedding] {
    guard texts.count <= Self.textCountMax else {
      throw .tooManyTexts(maximum: Self.textCountMax)
    }
    guard !texts.isEmpty else { return [] }
    let caller = CallOrigin.caller
    switch await turns.enter(caller, until: CallDeadline.current) {
    case .entered: break
    case .refused, .overdue: throw .overloaded
    case .expired, .cancelled: throw .cancelled
    }
    defer { turns.leave(caller) }
    return try await embedInTurn(texts)
  }

  private func embedInTurn(_ texts: [String]) async throws(EmbedderError) -> [TextEmbedding] {
    let cancellation = Cancellation()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isAccepted = threads.run { [tokenizer] pass in
          continuation.resume(
            returning: Self.embed(texts, tokenizer, pass, unless: cancellation))
        }
        if !isAccepted { continuation.resume(returning: .failure(.overloaded)) }
      }
    } onCancel: {
      cancellation.cancel()
    }
    return try result.get()
  }

  private static func embed(
    _ texts: [String], _ tokenizer: UnigramTokenizer, _ pass: EncoderPass,
    unless cancellation: Cancellation
  ) -> Result<[TextEmbedding], EmbedderError> {
    var tokens: [UnigramTokenizer.Tokens] = []
    for text in texts {
      if cancellation.isCancelled { return .failure(.cancelled) }
      tokens.append(tokenizer.tokens(of: text, countMax: tokenCountMax))
    }
    let ids = tokens.map(\.ids)
    var vectors: [[Float]] = []
    while vectors.count < ids.count {
      if cancellation.isCancelled { return .failure(.cancelled) }
      let batch = pass.batch(of: ids, from: vectors.count)
      let more = pass.vectors(of: ids[batch])
      guard !more.isEmpty else { return .failure(.unavailable("a text does not fit a pass")) }
      vectors += more
    }
    return .success(
      zip(vectors, tokens).map { TextEmbedding(vector: $0, isTruncated: $1.isTruncated) })
  }

  private static func processorCount() -> Int {
    max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1)
  }
}

private final class Cancellation: Sendable {
  private let flag = Atomic(false)

  var isCancelled: Bool { flag.load(ordering: .relaxed) }

  func cancel() { flag.store(true, ordering: .relaxed) }
}
