import Domain
import Logging
import Models
import Retrieval
import Service

/// The models that this server can use, by what is installed and what the environment names.
///
/// | variable | what |
/// |---|---|
/// | `HITO_MODEL_URL`, `HITO_MODEL` | a language model behind `<URL>/chat/completions` |
/// | `HITO_MODEL_KEY` | its key, where it wants one |
/// | `HITO_MODEL_CALLS_PER_MINUTE`, `HITO_MODEL_TOKENS_PER_DAY`, `HITO_MODEL_COST_PER_DAY` | what each caller may use |
/// | `HITO_MODEL_PROMPT_PRICE`, `HITO_MODEL_REPLY_PRICE` | cost of a million tokens |
/// | `HITO_EMBEDDING_URL`, `HITO_EMBEDDING_MODEL`, `HITO_EMBEDDING_DIMENSIONS` | an embedding model behind `<URL>/embeddings`, instead of the embedded one |
/// | `HITO_EMBEDDING_KEY` | its key |
/// | `HITO_EMBEDDING_SEND_DIMENSIONS` | `1` asks the provider for vectors of that many dimensions |
/// | `HITO_EMBEDDING_MIN_SIMILARITY` | what is less similar is not close; 0.2 |
struct ModelProviders {
  /// Below it two texts have little to do with each other, in the embedded model's vectors
  /// (docs/evaluation.md: what it silences, right and wrong); a guess for the models of others.
  private static let similarityDefault = 0.2

  /// Empty variables are ones that are not set, as everywhere.
  private let environment: [String: String]
  private let time: any TimeSource

  init(environment: [String: String], time: any TimeSource) {
    self.environment = environment.filter { !$0.value.isEmpty }
    self.time = time
  }

  struct Embedders {
    /// Every one that can make vectors here.
    var all: [EmbeddingModels.Provider] = []
    /// The one whose vectors are to be searched; nil leaves it as it is.
    var desired: (any Embedder)?
  }

  func embedders(logger: Logger) throws -> Embedders {
    var made = Embedders()
    let similarity =
      try number("HITO_EMBEDDING_MIN_SIMILARITY", in: -1...1) ?? Self.similarityDefault
    do throws(ModelFileError) {
      let folder = try UniversalSentenceEncoder.locate(
        candidates: UniversalSentenceEncoder.candidates(environment: environment))
      let embedder = try UniversalSentenceEncoder(folder: folder)
      made.all.append(
        EmbeddingModels.Provider(
          embedder: embedder, isImmediate: true, minimumSimilarity: similarity))
      made.desired = embedder
    } catch {
      // Then what is searched is found by its words; the text says how to mend it.
      logger.warning("the embedded sentence encoder is not used", metadata: ["reason": "\(error)"])
    }
    if let remote = try remoteEmbedder() {
      made.all.append(
        EmbeddingModels.Provider(
          embedder: remote, isImmediate: false, minimumSimilarity: similarity))
      made.desired = remote
    }
    return made
  }

  private func remoteEmbedder() throws -> (any Embedder)? {
    guard let url = environment["HITO_EMBEDDING_URL"] else { return nil }
    guard let model = environment["HITO_EMBEDDING_MODEL"],
      let dimensions = try number("HITO_EMBEDDING_DIMENSIONS", in: 1...2000)
    else {
      throw ServeError(
        "HITO_EMBEDDING_URL wants HITO_EMBEDDING_MODEL and HITO_EMBEDDING_DIMENSIONS beside it")
    }
    let endpoint = ProviderEndpoint(
      baseURL: url, model: model, key: try key("HITO_EMBEDDING_KEY"),
      timeouts: ProviderTimeouts(firstByte: .seconds(30), whole: .seconds(60)))
    return try OpenAIEmbedder(
      endpoint,
      options: EmbeddingOptions(
        dimensionCount: Int(dimensions),
        sendsDimensionCount: environment["HITO_EMBEDDING_SEND_DIMENSIONS"] == "1"),
      time: time, logger: Logger(label: "hito.embeddings"))
  }

  /// Nil where none is configured: then goals are planned from what was retrieved, and what needs a
  /// model says so.
  func languageModel(usage: any ModelUsageStore) throws -> (any LanguageModel)? {
    guard let url = environment["HITO_MODEL_URL"] else { return nil }
    guard let name = environment["HITO_MODEL"] else {
      throw ServeError("HITO_MODEL_URL wants the name of the model in HITO_MODEL")
    }
    let logger = Logger(label: "hito.model")
    let model = try OpenAIChatModel(
      ProviderEndpoint(baseURL: url, model: name, key: try key("HITO_MODEL_KEY")), time: time,
      logger: logger)
    let million = 1_000_000.0
    var budget = ModelBudget()
    if let calls = try number("HITO_MODEL_CALLS_PER_MINUTE", in: 1...million) {
      budget.callsPerMinute = Int(calls)
      budget.burstCallCount = max(1, Int(calls) / 4)
    }
    budget.tokensPerDay = try number("HITO_MODEL_TOKENS_PER_DAY", in: 1...1e12).map { Int64($0) }
    budget.costMicrosPerDay = try number("HITO_MODEL_COST_PER_DAY", in: 0.000001...million)
      .map { Int64($0 * million) }
    budget.prices = ModelPrices(
      promptMicrosPerMillionTokens: Int64(
        (try number("HITO_MODEL_PROMPT_PRICE", in: 0...1000) ?? 0) * million),
      replyMicrosPerMillionTokens: Int64(
        (try number("HITO_MODEL_REPLY_PRICE", in: 0...1000) ?? 0) * million))
    return try GuardedModel(model, budget: budget, store: usage, time: time, logger: logger)
  }

  private func key(_ name: String) throws -> ProviderKey? {
    guard let text = environment[name] else { return nil }
    guard let key = ProviderKey(text) else {
      throw ServeError("\(name) does not look like a key: visible ASCII only")
    }
    return key
  }

  private func number(_ name: String, in range: ClosedRange<Double>) throws -> Double? {
    guard let text = environment[name] else { return nil }
    guard let value = Double(text), range.contains(value) else {
      throw ServeError("\(name) must be \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}
