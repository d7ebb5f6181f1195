import Domain
import JSON
import Testing

@testable import Broker

/// What a message says of its event.
@Suite struct MessageTests {
  private static let id = EntityID(high: 1, low: 2)
  private static let logID = EntityID(high: 3, low: 4)

  private static func event(payload: SealedJSON, metadata: SealedJSON = "{}") -> StoredEvent {
    StoredEvent(
      id: id, seq: 77, position: 42, type: "goal.created", entityType: "goal",
      entityID: EntityID(high: 5, low: 6), version: 1, userID: nil, payload: payload,
      metadata: metadata, createdAt: Timestamp(microsecondsSinceEpoch: 1_700_000_000_000_001))
  }

  private static func message(_ event: StoredEvent, limit: Int = 1 << 20) -> OutgoingEvent {
    OutgoingEvent(event, logID: logID, epoch: 9, bodyByteCountMax: limit)
  }

  private static func value(_ message: OutgoingEvent) -> JSONValue? {
    JSONValue(parsing: String(decoding: message.body, as: UTF8.self))
  }

  @Test func itHasEverythingThatOthersMayKnow() throws {
    let message = Self.message(
      Self.event(
        payload: #"{"title": "¿Qué? \"x\""}"#,
        metadata: #"{"actor": {"id": "1", "token_id": "2"}, "idempotency_key": "k", "call": "c"}"#))
    let expected = """
      {"log":"\(Self.logID)","epoch":9,"position":42,"id":"\(Self.id)","type":"goal.created",\
      "entity_type":"goal","entity_id":"\(EntityID(high: 5, low: 6))","version":1,"user_id":null,\
      "schema_version":\(StoredEvent.currentSchemaVersion),"created_at":"2023-11-14T22:13:20.000001Z",\
      "payload":{"title": "¿Qué? \\"x\\""},"metadata":{"actor": {"id": "1"},"call": "c"}}
      """
    #expect(String(decoding: message.body, as: UTF8.self) == expected)
    #expect(message.secondsSinceEpoch == 1_700_000_000 && !message.isCut)
    #expect(
      EventNotice(body: expected) == EventNotice(logID: Self.logID, position: 42))
  }

  /// A value that is sealed in the log is sealed in the message: nobody could take it back from there.
  @Test func whatIsSealedStaysSealed() throws {
    let sealed = #"{"title":{"$personal":{"key":"k","type":"string","box":"b"}}}"#
    let message = Self.message(Self.event(payload: SealedJSON(sealedText: sealed)))
    #expect(String(decoding: message.body, as: UTF8.self).contains(#""payload":\#(sealed)"#))
  }

  @Test func whatIsTooLargeGoesWithoutItsPayload() throws {
    let large = SealedJSON(sealedText: #"{"code":"\#(String(repeating: "x", count: 5000))"}"#)
    let whole = Self.message(Self.event(payload: large))
    for limit in [4096, whole.byteCount - 1] {
      let cut = Self.message(Self.event(payload: large), limit: limit)
      #expect(cut.isCut && cut.byteCount < 1000)
      guard case .object(let members)? = Self.value(cut) else {
        Issue.record("no JSON")
        return
      }
      #expect(members.contains { $0.key == "payload" && $0.value == .null })
      #expect(members.contains { $0.key == "cut_bytes" })
    }
    #expect(!Self.message(Self.event(payload: large), limit: whole.byteCount + 64).isCut)
  }

  @Test(
    arguments: [
      "", "null", "[]", "{}", "x", #"{"log":"1","position":1}"#,
      #"{"log":"00000000-0000-0003-0000-000000000004"}"#,
      #"{"log":"00000000-0000-0003-0000-000000000004","position":0}"#,
      #"{"log":"00000000-0000-0003-0000-000000000004","position":1.5}"#,
      #"{"log":"00000000-0000-0003-0000-000000000004","position":"1"}"#,
      #"{"log":"00000000-0000-0003-0000-000000000004","position":99999999999999999999}"#,
    ])
  func anythingElseIsNoNotice(body: String) { #expect(EventNotice(body: body) == nil) }
}
