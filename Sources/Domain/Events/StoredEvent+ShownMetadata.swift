internal import JSON

extension StoredEvent {
  /// The metadata without what is between the caller who made the event and the server: the key of
  /// the request, with which it could be repeated or taken, and the token that it came with.
  package var shownMetadata: String { Self.shown(openedMetadata) }

  /// The same as copies hold it: what is personal stays sealed.
  package var publishedMetadata: String { Self.shown(metadata.sealedText) }

  private static let omission = JSONOmission(
    ["idempotency_key"], within: ["actor": JSONOmission(["token_id"])])

  private static func shown(_ metadata: String) -> String {
    guard mentions("idempotency_key", in: metadata) || mentions("token_id", in: metadata) else {
      return metadata
    }
    return omission.text(of: metadata) ?? "{}"
  }

  /// By bytes: asked of every event, and `contains` of two strings is a search by characters (5 % of
  /// what the server did for a new goal).
  private static func mentions(_ name: StaticString, in metadata: String) -> Bool {
    var text = metadata
    return text.withUTF8 { text in
      name.withUTF8Buffer { name in
        guard text.count >= name.count else { return false }
        return (0...text.count - name.count).contains { start in
          text[start] == name[0] && text[start..<start + name.count].elementsEqual(name)
        }
      }
    }
  }
}
