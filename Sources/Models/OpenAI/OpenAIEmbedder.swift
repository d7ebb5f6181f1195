package import Domain
package import Logging

/// How a provider's embeddings endpoint is asked.
package struct EmbeddingOptions: Sendable, Hashable {
  /// How many numbers the vectors have; an answer with another count is refused.
  package var dimensionCount: Int
  /// Sends `dimensions`, for models that can shorten their vectors.
  package var sendsDimensionCount: Bool
  /// Asks for base64 instead of numbers in text: a third of the size.
  package var asksForBase64: Bool
  /// What the model reads, in its own tokens.
  package var tokenCountMax: Int
  /// Texts and bytes of one request.
  package var batchTextCountMax: Int
  package var batchByteCountMax: Int

  package init(
    dimensionCount: Int, sendsDimensionCount: Bool = false, asksForBase64: Bool = true,
    tokenCountMax: Int = 8191, batchTextCountMax: Int = 64, batchByteCountMax: Int = 256 << 10
  ) {
    self.dimensionCount = dimensionCount
    self.sendsDimensionCount = sendsDimensionCount
    self.asksForBase64 = asksForBase64
    self.tokenCountMax = tokenCountMax
    self.batchTextCountMax = batchTextCountMax
    self.batchByteCountMax = batchByteCountMax
  }

  func validate() throws(ModelConfigurationError) {
    guard (1...16_000).contains(dimensionCount) else {
      throw .invalid(setting: "dimensions", reason: "must be 1 to 16000")
    }
    guard (16...1_000_000).contains(tokenCountMax) else {
      throw .invalid(setting: "token limit", reason: "must be 16 to 1000000")
    }
    guard (1...2048).contains(batchTextCountMax), batchByteCountMax >= 1024,
      batchByteCountMax <= 16 << 20
    else {
      throw .invalid(
        setting: "batch size", reason: "must be 1 to 2048 texts and 1 KiB to 16 MiB")
    }
  }
}

/// An embedding model behind any `/v1/embeddings` of the kind that OpenAI made common. What a server
/// refuses to take is left out, cut or sent in smaller requests, and it is remembered of its endpoint.
package final class OpenAIEmbedder: Embedder {
  /// Texts that one call may bring.
  package static let textCountMax = 256
  /// No model reads less; and no tokenizer makes more than a token of a byte.
  private static let cutByteCountMin = 16

  package let model: EmbeddingModel

  private let endpoint: ProviderEndpoint
  private let options: EmbeddingOptions
  private let connection: ProviderConnection
  private let caller: ProviderCaller
  private let habits: EndpointHabitBook
  private let key: EndpointHabitBook.Key

  package init(
    _ endpoint: ProviderEndpoint, options: EmbeddingOptions,
    habits: EndpointHabitBook = EndpointHabitBook(), time: any TimeSource, logger: Logger
  ) throws(ModelConfigurationError) {
    try endpoint.validate()
    try options.validate()
    self.endpoint = endpoint
    self.options = options
    model = EmbeddingModel(
      name: endpoint.model, dimensionCount: options.dimensionCount,
      tokenCountMax: options.tokenCountMax)
    connection = try ProviderConnection(endpoint, time: time)
    caller = ProviderCaller(endpoint, operation: "embeddings", logger: logger)
    self.habits = habits
    key = EndpointHabitBook.Key(endpoint, operation: caller.operation)
  }

  /// See `Embedder`. Batches go one after the other; a batch that fails for good fails the call.
  package func embed(_ texts: [String]) async throws(EmbedderError) -> [TextEmbedding] {
    guard texts.count <= Self.textCountMax else {
      throw .tooManyTexts(maximum: Self.textCountMax)
    }
    var embeddings: [TextEmbedding] = []
    while embeddings.count < texts.count {
      do throws(ProviderFailure) {
        embeddings += try await embed(texts[embeddings.count...])
      } catch {
        throw error.embedderError
      }
    }
    return embeddings
  }

  /// Embeds the first texts of `texts`, as many as one request takes.
  ///
  /// Only the provider can count tokens. Texts are cut at about what the model reads; where it says
  /// that this is still too long, at what it says that it takes, or at half of that, down to a few
  /// words. Where that is too much for one request, fewer texts go into the next.
  private func embed(_ texts: ArraySlice<String>) async throws(ProviderFailure) -> [TextEmbedding] {
    let known = habits.habits(of: key)
    var learned = EndpointHabits()
    var tokenCountMax = min(options.tokenCountMax, known.tokenCountMax ?? .max)
    // Of what the provider says itself more fits than the worst case of a guess.
    var cutByteCount = tokenCountMax * (known.tokenCountMax == nil ? 4 : 3)
    var textCountMax = min(options.batchTextCountMax, known.textCountMax ?? .max)
    while true {
      let batch = EmbeddingBatch(
        texts, cutByteCount: cutByteCount, textCountMax: textCountMax,
        byteCountMax: options.batchByteCountMax)
      let failure: ProviderFailure
      do throws(ProviderFailure) {
        let embeddings = try await vectors(of: batch, known)
        caller.learn(learned, of: key, in: habits)
        return embeddings
      } catch {
        failure = error
      }
      let isSeveral = batch.texts.count > 1
      switch failure {
      case .inputTooLarge(let limit) where limit.unit == .texts && isSeveral:
        let half = batch.texts.count / 2
        textCountMax = limit.maximum.map { $0 < batch.texts.count ? $0 : half } ?? half
        learned.textCountMax = textCountMax
      case .inputTooLarge(let limit)
      where limit.unit == .tokens && limit.maximum ?? .max < tokenCountMax:
        tokenCountMax = limit.maximum ?? tokenCountMax
        learned.tokenCountMax = tokenCountMax
        cutByteCount = min(cutByteCount / 2, tokenCountMax * 3)
      case .promptTooLong, .inputTooLarge:
        let longest = min(cutByteCount, batch.texts.lazy.map(\.utf8.count).max() ?? 0)
        if longest > min(tokenCountMax, Self.cutByteCountMin) {
          cutByteCount = (longest * 2 < cutByteCount ? longest : cutByteCount) / 2
        } else if isSeveral {
          textCountMax = batch.texts.count / 2
        } else {
          throw failure
        }
      default: throw failure
      }
    }
  }

  private func vectors(
    of batch: EmbeddingBatch, _ known: EndpointHabits
  ) async throws(ProviderFailure) -> [TextEmbedding] {
    // Numbers in text have up to 32 bytes each.
    let byteCountMax = (1 << 16) + batch.texts.count * (options.dimensionCount * 32 + 512)
    let vectors = try await caller.call { (_, end) async throws(ProviderFailure) in
      var learned = EndpointHabits()
      while true {
        let refused = known.refused.union(learned.refused)
        let failure: ProviderFailure
        do throws(ProviderFailure) {
          let answer = try await self.connection.post(
            "embeddings",
            body: EmbeddingWire.request(
              batch.texts, model: self.endpoint.model, self.options, without: refused),
            accept: "application/json", until: end)
          let bytes = try await answer.whole(byteCountMax: byteCountMax)
          let vectors = try EmbeddingWire.vectors(
            in: bytes, count: batch.texts.count, dimensionCount: self.options.dimensionCount)
          self.caller.learn(learned, of: self.key, in: self.habits)
          return vectors
        } catch {
          failure = error
        }
        let sent = EmbeddingWire.sent(self.options, without: refused)
        // Each time one less is sent, so that this ends.
        guard case .parameterRefused(let refusal, _) = failure,
          let parameter = refusal.leftOut(of: sent)
        else { throw failure.whereNothingIsLeftOut.ofTexts(batch.texts.count) }
        learned.refused.insert(parameter)
      }
    }
    return zip(vectors, batch.isTruncated).map { TextEmbedding(vector: $0, isTruncated: $1) }
  }
}

extension ProviderFailure {
  /// What a failure says of several texts: one of them may be the reason, so that the provider is not
  /// asked the same again.
  fileprivate func ofTexts(_ count: Int) -> ProviderFailure {
    switch self {
    case .malformed where count > 1, .serverError(status: 500, _) where count > 1: .textsFailed
    default: self
    }
  }
}

/// The texts of one request, as they are sent.
package struct EmbeddingBatch: Sendable, Hashable {
  package private(set) var texts: [String] = []
  package private(set) var isTruncated: [Bool] = []

  /// Takes as many texts from the start of `source` as fit, at least one.
  package init(
    _ source: ArraySlice<String>, cutByteCount: Int, textCountMax: Int, byteCountMax: Int
  ) {
    var byteCount = 0
    for text in source.prefix(textCountMax) {
      let sent = Self.cut(text, byteCount: cutByteCount)
      byteCount += sent.utf8.count
      if !texts.isEmpty, byteCount > byteCountMax { break }
      isTruncated.append(sent.utf8.count < text.utf8.count)
      // Providers refuse an empty text, and blank ones as well.
      texts.append(sent.utf8.allSatisfy { $0 <= 0x20 } ? "-" : sent)
    }
  }

  private static func cut(_ text: String, byteCount: Int) -> String {
    guard text.utf8.count > byteCount else { return text }
    let end = text.utf8.index(text.startIndex, offsetBy: byteCount)
    // Back to the start of a character's code point.
    return String(text.unicodeScalars[..<text.unicodeScalars.index(end, floor: text)])
  }
}

extension String.UnicodeScalarView {
  /// The start of the code point that `index` is at or within.
  fileprivate func index(_ index: String.Index, floor text: String) -> String.Index {
    var index = index
    while index > text.startIndex, index.samePosition(in: self) == nil {
      index = text.utf8.index(before: index)
    }
    return index
  }
}
