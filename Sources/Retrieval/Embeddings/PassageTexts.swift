package import Domain

/// The passages of entities that have one.
package enum PassageTexts {
  /// Characters of a passage at most; what is embedded is shorter still.
  package static let contentMax = 20_000

  package static func passage(of goal: Goal) -> Passage {
    Passage(
      kind: .goal, entityID: goal.id, userID: goal.userID, title: goal.title,
      content: content(
        title: goal.title, description: goal.description, criteria: goal.validationCriteria),
      language: "")
  }

  /// The text that a goal or a proposal of one is embedded by.
  package static func content(
    title: String, description: String, criteria: [String]
  ) -> String {
    cut(([title, description] + criteria).filter { !$0.isEmpty }.joined(separator: "\n"))
  }

  package static func passage(of snapshot: CodeSnapshot) -> Passage {
    Passage(
      kind: .codeSnapshot, entityID: snapshot.id, userID: snapshot.userID,
      title: snapshot.filePath, content: cut(snapshot.content), language: snapshot.language)
  }

  /// Chunk 0 of a course: what it says of itself.
  package static func passage(of course: Course) -> Passage {
    let parts = [course.title, course.description, course.technologies.joined(separator: ", ")]
    return Passage(
      kind: .course, entityID: course.id, userID: course.userID, title: course.title,
      content: cut(parts.filter { !$0.isEmpty }.joined(separator: "\n")),
      language: course.language)
  }

  private static func cut(_ text: String) -> String {
    // In bytes first: counting the scalars of a huge text is itself work.
    guard text.utf8.count > contentMax else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(contentMax)))
  }
}
