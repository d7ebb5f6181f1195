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

/// An embedding model behind any `/v1/embeddings` of the kind that OpenAI made common.
package final class OpenAIEmbedder: Embedder {
  /// Texts that one call may bring.
  package static let textCountMax = 256

  package let model: EmbeddingModel

  private let endpoint: ProviderEndpoint
  private let options: EmbeddingOptions
  private let connection: ProviderConnection
  private let caller: ProviderCaller

  package init(
    _ endpoint: ProviderEndpoint, options: EmbeddingOptions, time: any TimeSource, logger: Logger
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
  /// that this is still too long, at half of that, down to one byte per token, below which no
  /// tokenizer goes.
  private func embed(_ texts: ArraySlice<String>) async throws(ProviderFailure) -> [TextEmbedding] {
    var cutByteCount = options.tokenCountMax * 4
    while true {
      let batch = EmbeddingBatch(
        texts, cutByteCount: cutByteCount, textCountMax: options.batchTextCountMax,
        byteCountMax: options.batchByteCountMax)
      do {
        return try await vectors(of: batch)
      } catch .promptTooLong where cutByteCount > options.tokenCountMax {
        cutByteCount /= 2
      }
    }
  }

  private func vectors(of batch: EmbeddingBatch) async throws(ProviderFailure) -> [TextEmbedding] {
    let body = EmbeddingWire.request(batch.texts, model: endpoint.model, options)
    // Numbers in text have up to 32 bytes each.
    let byteCountMax = (1 << 16) + batch.texts.count * (options.dimensionCount * 32 + 512)
    let vectors = try await caller.call { (_, end) async throws(ProviderFailure) in
      let answer = try await self.connection.post(
        "embeddings", body: body, accept: "application/json", until: end)
      let bytes = try await answer.whole(byteCountMax: byteCountMax)
      return try EmbeddingWire.vectors(
        in: bytes, count: batch.texts.count, dimensionCount: self.options.dimensionCount)
    }
    return zip(vectors, batch.isTruncated).map { TextEmbedding(vector: $0, isTruncated: $1) }
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
