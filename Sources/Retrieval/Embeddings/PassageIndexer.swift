package import Domain
import OpenSSL
import Synchronization

/// Sees to it that what is written can be found: derives the passages of a decision's entities, to be
/// committed with them.
///
/// With an embedder in this process a goal's vector is made before the commit and stored in it. What
/// can not be embedded right now waits for `EmbeddingWorker`: a write never fails for that.
package struct PassageIndexer: Sendable {
  /// Nil: passages are stored, and nobody embeds them here.
  private let models: EmbeddingModels?
  private let recent = RecentVectors()

  package init(models: EmbeddingModels?) { self.models = models }

  /// Vectors of texts that this call has embedded already: a decision may be made again.
  package final class Memory: Sendable {
    private let vectors = Mutex<[[UInt8]: PassageEmbedding]>([:])

    package init() {}

    func embedding(_ hash: [UInt8]) -> PassageEmbedding? { vectors.withLock { $0[hash] } }
    func keep(_ embedding: PassageEmbedding, for hash: [UInt8]) {
      vectors.withLock { $0[hash] = embedding }
    }
  }

  package func changes(for changes: [Change], _ memory: Memory) async -> [Change] {
    var updates: [Change] = []
    for change in changes {
      guard let update = await update(for: change, memory) else { continue }
      updates.append(.savePassages(update))
    }
    return updates
  }

  private func update(for change: Change, _ memory: Memory) async -> PassageUpdate? {
    switch change {
    case .saveGoal(let aggregate):
      let types = Set(aggregate.events.map(\.type))
      if types.contains(.goalDeleted) { return removal(.goal, aggregate.goal.id) }
      // Whatever else happens to a goal or its tasks leaves its text as it is.
      guard types.contains(.goalCreated) || types.contains(.goalUpdated) else { return nil }
      return await upsert(
        PassageTexts.passage(of: aggregate.goal), isNew: aggregate.loadedRevision == nil,
        isUrgent: true, memory)
    case .insertCourse(let course):
      return await upsert(PassageTexts.passage(of: course), isNew: true, memory)
    case .updateCourse(let course):
      if course.status == .deleted { return removal(.course, course.id) }
      return await upsert(PassageTexts.passage(of: course), isNew: false, memory)
    case .insertSnapshot(let snapshot):
      return await upsert(PassageTexts.passage(of: snapshot), isNew: true, memory)
    default:
      return nil
    }
  }

  private func removal(_ kind: PassageKind, _ id: EntityID) -> PassageUpdate {
    PassageUpdate(kind: kind, entityID: id, removesAll: true)
  }

  private func upsert(
    _ passage: Passage, isNew: Bool, isUrgent: Bool = false, _ memory: Memory
  ) async -> PassageUpdate {
    let hash = SHA256.hash(passage.content)
    var upsert = PassageUpsert(passage: passage, contentHash: hash)
    if isUrgent { upsert.embedding = await embedding(of: passage, hash, memory) }
    return PassageUpdate(
      kind: passage.kind, entityID: passage.entityID, upserts: [upsert], isOfNewEntity: isNew)
  }

  private func embedding(
    of passage: Passage, _ hash: [UInt8], _ memory: Memory
  ) async -> PassageEmbedding? {
    if let known = memory.embedding(hash) { return known }
    guard let models, let active = try? await models.active(),
      let provider = models.provider(of: active.name), provider.isImmediate
    else { return nil }
    let (owner, model) = (passage.userID, active.name)
    var vector = recent.vector(of: hash, owner: owner, model: model)
    if vector == nil {
      vector = try? await provider.embedder.embed([
        EmbeddedText.text(of: passage.kind, content: passage.content)
      ]).first?.vector
      if let vector { recent.keep(vector, of: hash, owner: owner, model: model) }
    }
    guard let vector else { return nil }
    let embedding = PassageEmbedding(model: model, vector: vector)
    memory.keep(embedding, for: hash)
    return embedding
  }
}
