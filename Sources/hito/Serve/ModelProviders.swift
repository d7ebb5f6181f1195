import Domain
import Logging
import Models
import Retrieval
import Service

/// The models that this server can use, by what is installed and what the settings name.
struct ModelProviders {
  private let settings: Settings
  private let time: any TimeSource
  private let habits: EndpointHabitBook

  /// - Parameter settings: checked ones, with the groups of the models.
  init(_ settings: Settings, time: any TimeSource) {
    self.settings = settings
    self.time = time
    habits = EndpointHabitBook(
      file: settings.dataDirectory.map { "\($0)/\(EndpointHabitBook.fileName)" })
  }

  /// Where the language model is; nil where none is named.
  static func chatEndpoint(_ settings: Settings) -> ProviderEndpoint? {
    let chosen = ModelSettings()
    guard let url = settings[chosen.modelURL], let name = settings[chosen.model] else { return nil }
    return ProviderEndpoint(
      baseURL: url, model: name, key: settings[chosen.modelKey],
      allowsPlaintext: settings[chosen.modelPlaintext])
  }

  /// Where the embedding model is; nil where none is named.
  static func embeddingEndpoint(_ settings: Settings) -> ProviderEndpoint? {
    let chosen = EmbeddingSettings()
    guard let url = settings[chosen.embeddingURL], let name = settings[chosen.embeddingModel] else {
      return nil
    }
    return ProviderEndpoint(
      baseURL: url, model: name, key: settings[chosen.embeddingKey],
      allowsPlaintext: settings[chosen.embeddingPlaintext],
      timeouts: ProviderTimeouts(firstByte: .seconds(30), whole: .seconds(60)))
  }

  struct Embedders {
    /// Every one that can make vectors here.
    var all: [EmbeddingModels.Provider] = []
    /// The one whose vectors are to be searched; nil leaves it as it is.
    var desired: (any Embedder)?
  }

  func embedders(logger: Logger) throws -> Embedders {
    var made = Embedders()
    let similarity = settings[EmbeddingSettings().embeddingMinSimilarity]
    do throws(ModelFileError) {
      let folder = try UniversalSentenceEncoder.locate(
        candidates: settings.embedderCandidates)
      let embedder = try UniversalSentenceEncoder(folder: folder)
      made.all.append(
        EmbeddingModels.Provider(
          embedder: embedder, isImmediate: true, minimumSimilarity: similarity))
      // Until the vectors of an earlier version are made anew.
      made.all.append(
        EmbeddingModels.Provider(
          embedder: StandInEmbedder(embedder, named: UniversalSentenceEncoder.formerName),
          isImmediate: true, minimumSimilarity: similarity))
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
    let embedding = EmbeddingSettings()
    guard let endpoint = Self.embeddingEndpoint(settings),
      let dimensionCount = settings[embedding.embeddingDimensions]
    else { return nil }
    var options = EmbeddingOptions(
      dimensionCount: dimensionCount,
      sendsDimensionCount: settings[embedding.embeddingSendDimensions])
    if let count = settings[embedding.embeddingTokens] { options.tokenCountMax = count }
    return try OpenAIEmbedder(
      endpoint, options: options, habits: habits, time: time,
      logger: Logger(label: "hito.embeddings"))
  }

  /// Nil where none is configured: then goals are planned from what was retrieved, and what needs a
  /// model says so.
  func languageModel(
    usage: any ModelUsageStore, quotas: QuotaBook
  ) throws -> (any LanguageModel)? {
    let chosen = ModelSettings()
    guard let endpoint = Self.chatEndpoint(settings) else { return nil }
    let logger = Logger(label: "hito.model")
    let model = try OpenAIChatModel(endpoint, habits: habits, time: time, logger: logger)
    var budget = ModelBudget()
    if let calls = settings[chosen.modelCallsPerMinute] {
      budget.callsPerMinute = calls
      budget.burstCallCount = max(1, calls / 4)
    }
    budget.tokensPerDay = settings[chosen.modelTokensPerDay].map { Int64($0) }
    budget.costMicrosPerDay = settings[chosen.modelCostPerDay].map(Self.micros)
    budget.prices = ModelPrices(
      promptMicrosPerMillionTokens: Self.micros(settings[chosen.modelPromptPrice]),
      replyMicrosPerMillionTokens: Self.micros(settings[chosen.modelReplyPrice]))
    return try BudgetedModel(
      model, budget: budget, store: usage, time: time, logger: logger,
      tokensPerDay: quotas.modelTokensPerDay)
  }

  private static func micros(_ amount: Double) -> Int64 { Int64(amount * 1_000_000) }
}
