package import Domain

/// What is given to the embedder for a passage.
package enum EmbeddedText {
  /// Code and sections of documents as they are. Of a goal the title counts twice, and its parts are
  /// sentences: encoders read a line break as a space, so that a title would run into its description.
  /// That was measured (docs/evaluation.md).
  package static func text(of kind: PassageKind, content: String) -> String {
    guard kind == .goal else { return content }
    let lines = content.split(whereSeparator: \.isNewline)
    guard let title = lines.first, lines.count > 1 else { return content }
    return ([title] + lines).joined(separator: ". ")
  }
}

extension WaitingPassage {
  var embeddedText: String { EmbeddedText.text(of: key.kind, content: content) }
}
