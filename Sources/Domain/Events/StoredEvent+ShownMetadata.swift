internal import JSON

extension StoredEvent {
  /// The metadata without what is between the caller who made the event and the server: the key of
  /// the request, with which it could be repeated or taken, and the token that it came with.
  package var shownMetadata: String {
    let metadata = openedMetadata
    guard metadata.contains("idempotency_key") || metadata.contains("token_id") else {
      return metadata
    }
    guard case .object(let members)? = JSONValue(parsing: metadata) else { return "{}" }
    let shown = members.compactMap { member -> (key: String, value: JSONValue)? in
      switch (member.key, member.value) {
      case ("idempotency_key", _): nil
      case ("actor", .object(let actor)):
        (key: "actor", value: .object(actor.filter { $0.key != "token_id" }))
      default: member
      }
    }
    return JSONValue.object(shown).text
  }
}
