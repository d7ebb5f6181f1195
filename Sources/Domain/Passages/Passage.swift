/// What a passage belongs to; the raw value is what `embeddings.entity_type` holds.
package enum PassageKind: String, Sendable, Hashable, CaseIterable {
  /// A learner's goal: one passage.
  case goal
  /// A course: its description is chunk 0, each part of its documents a chunk of its own.
  case course
  /// A file of code: one passage.
  case codeSnapshot = "code_snapshot"
}

/// A piece of text that can be found, by its words as soon as it is committed, by its meaning once
/// it is embedded.
package struct Passage: Sendable, Hashable {
  package var kind: PassageKind
  package var entityID: EntityID
  /// Whose it is: the learner, the author, the owner of the course.
  package var userID: EntityID
  /// Unique within the entity; 0 for what has only one.
  package var chunkNumber: Int32
  /// The title, the heading or the path of the file.
  package var title: String
  /// What is embedded and shown.
  package var content: String
  /// `es` or `en` where it is prose, the programming language where it is code.
  package var language: String
  /// Path of the document inside the course; empty elsewhere.
  package var documentPath: String
  /// Anchor of the section inside the document; empty elsewhere.
  package var anchor: String

  package init(
    kind: PassageKind, entityID: EntityID, userID: EntityID, chunkNumber: Int32 = 0, title: String,
    content: String, language: String, documentPath: String = "", anchor: String = ""
  ) {
    self.kind = kind
    self.entityID = entityID
    self.userID = userID
    self.chunkNumber = chunkNumber
    self.title = title
    self.content = content
    self.language = language
    self.documentPath = documentPath
    self.anchor = anchor
  }
}
