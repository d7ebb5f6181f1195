import Domain
import Testing

/// What watchers see of an event's metadata.
@Suite struct ShownMetadataTests {
  private func shown(_ metadata: String) -> String {
    StoredEvent(
      id: EntityID(high: 0, low: 1), seq: 1, position: 1, type: "goal.created", entityType: "goal",
      entityID: EntityID(high: 0, low: 2), version: 1, userID: nil, payload: "{}",
      metadata: SealedJSON(sealedText: metadata),
      createdAt: Timestamp(microsecondsSinceEpoch: 0)
    ).shownMetadata
  }

  /// Also where they are the last bytes, and after a beginning of the name that goes on otherwise.
  @Test(arguments: [
    (#"{"idempotency_key": "k", "method": "m"}"#, #"{"method":"m"}"#),
    (#"{"actor": {"role": "admin", "token_id": "t"}}"#, #"{"actor":{"role":"admin"}}"#),
    (#"{"tokentoken_id": "x"}"#, #"{"tokentoken_id":"x"}"#),
    ("idempotency_key", "{}"),
  ])
  func keysAndTokensAreTakenOut(_ metadata: String, _ expected: String) {
    #expect(shown(metadata).filter { $0 != " " } == expected)
  }

  @Test(arguments: ["", "{}", "token_i", #"{"actor": {"role": "learner"}}"#])
  func whatHasNeitherStaysAsItIs(_ metadata: String) { #expect(shown(metadata) == metadata) }
}
