import Domain
import Logging
import Models
import Service

/// The embedders that this server can use, by what is installed and configured.
struct EmbeddingProviders {
  /// Below it two texts have little to do with each other, in the embedded model's vectors
  /// (docs/benchmarks.md, `make eval`).
  private static let embeddedSimilarity = 0.3

  let environment: [String: String]

  struct Made {
    /// Every one that can make vectors here.
    var all: [EmbeddingModels.Provider]
    /// The one whose vectors are to be searched; nil leaves it as it is.
    var desired: (any Embedder)?
  }

  func make(logger: Logger) throws -> Made {
    var made = Made(all: [], desired: nil)
    do throws(ModelFileError) {
      let folder = try UniversalSentenceEncoder.locate(
        candidates: UniversalSentenceEncoder.candidates(environment: environment))
      let embedder = try UniversalSentenceEncoder(folder: folder)
      made.all.append(
        EmbeddingModels.Provider(
          embedder: embedder, isImmediate: true, minimumSimilarity: Self.embeddedSimilarity))
      made.desired = embedder
    } catch {
      // Found by words alone; `hito doctor` says how to mend it.
      logger.warning("the embedded sentence encoder is not used", metadata: ["reason": "\(error)"])
    }
    return made
  }
}
