/// What becomes of the passages of one entity.
package struct PassageUpdate: Sendable, Hashable {
  package var kind: PassageKind
  package var entityID: EntityID
  /// New or changed ones. One whose text is stored already (by hash) keeps its vector.
  package var upserts: [PassageUpsert]
  package var removedChunkNumbers: [Int32]
  /// Every passage of the entity goes, before the upserts.
  package var removesAll: Bool
  /// The same write inserts the entity, so that nothing of it is stored and nothing is removed.
  package var isOfNewEntity: Bool

  package init(
    kind: PassageKind, entityID: EntityID, upserts: [PassageUpsert] = [],
    removedChunkNumbers: [Int32] = [], removesAll: Bool = false, isOfNewEntity: Bool = false
  ) {
    self.kind = kind
    self.entityID = entityID
    self.upserts = upserts
    self.removedChunkNumbers = removedChunkNumbers
    self.removesAll = removesAll
    self.isOfNewEntity = isOfNewEntity
  }
}

/// A passage to store, with its vector where that is made in the same transaction.
package struct PassageUpsert: Sendable, Hashable {
  package var passage: Passage
  /// SHA-256 of the UTF-8 of the passage's content.
  package var contentHash: [UInt8]
  /// Nil: the vector is made later.
  package var embedding: PassageEmbedding?

  package init(passage: Passage, contentHash: [UInt8], embedding: PassageEmbedding? = nil) {
    self.passage = passage
    self.contentHash = contentHash
    self.embedding = embedding
  }
}

/// The vector of a passage and the model that made it.
package struct PassageEmbedding: Sendable, Hashable {
  package var model: String
  package var vector: [Float]

  package init(model: String, vector: [Float]) {
    self.model = model
    self.vector = vector
  }
}
