import Domain
import JSON
import Testing

@Suite("Personal fields")
struct PersonalFieldsTests {
  private let id = EntityID(high: 1, low: 1)
  private let person = EntityID(high: 2, low: 2)

  private func event(
    _ type: EventType, _ members: [(key: String, value: JSONValue)], of person: EntityID?,
    metadata: [(key: String, value: JSONValue)] = []
  ) -> NewEvent {
    NewEvent(
      id: id, type: type, entityType: .goal, entityID: id, version: 1, userID: person,
      payload: .object(members), metadata: .object(metadata),
      createdAt: Timestamp(microsecondsSinceEpoch: 0))
  }

  /// One value of each kind, some of which look as if they were sealed.
  private let values: [JSONValue] = [
    .string("Ana"), .string(""), .string("$personal"), .string("\u{0}\"ñ\u{1F600}"), .null,
    .array([]), .array([.object([("$personal", .string("x"))])]), .bool(true), .integer(7),
    .number(0.25), .object([]), .object([("$personal", .null)]),
    .object([("$personal", .string("Ana"))]),
    .object([("$personal", .object([("clear", .string("Ana"))]))]),
    .object([("$personal", .object([("clear", .integer(1)), ("key", .integer(1))]))]),
    .object([
      (
        "$personal",
        .object([("key", .string("k")), ("type", .string("string")), ("box", .string("00"))])
      )
    ]),
    .object([("$personal", .object([("clear", .integer(1))])), ("b", .integer(2))]),
  ]

  @Test("Every type says of each member whether it is personal, and keeps what the log is read by")
  func declarations() {
    let needed: Set<String> = [
      "id", "user_id", "goal_id", "task_id", "course_id", "code_snapshot_id", "caller_id", "status",
      "role", "validation_score", "score", "progress_percentage", "created_at", "actor", "method",
    ]
    for fields in EventType.allCases.map(\.personalFields) + [.ofMetadata] {
      #expect(fields.personal.isDisjoint(with: fields.plain))
      #expect(fields.personal.isDisjoint(with: needed))
    }
  }

  @Test("What is written in clear is read as it was, whatever it looks like")
  func clear() throws {
    for value in values {
      let stored = try StoredEvent(
        sealing: event(.goalCreated, [("title", value), ("status", value)], of: person))
      let opened = try #require(JSONValue(parsing: stored.openedPayload))
      #expect(opened["title"] == value)
      #expect(opened["status"] == value)
    }
  }

  @Test("Events of builds without sealing are read as they are")
  func old() {
    let texts = [
      #"{"id": "x", "title": "Aprender $personal", "metadata": {"$personal": "x"}}"#,
      #"{"title": {"$personal": {"key": "k"}}, "n": 1.50}"#, #"{"$personal": {"clear": 1}}"#, "{}",
    ]
    for text in texts {
      var stored = StoredEvent(
        id: id, seq: 1, position: 1, type: "course.created", entityType: "course", entityID: id,
        version: 1, userID: person, payload: SealedJSON(sealedText: text), metadata: "{}",
        createdAt: Timestamp(microsecondsSinceEpoch: 0))
      #expect(JSONValue(parsing: stored.openedPayload) == JSONValue(parsing: text))
      stored.type = "of.others"
      #expect(JSONValue(parsing: stored.openedPayload) == JSONValue(parsing: text))
    }
  }

  @Test("Sealed values open where they were sealed, and nowhere else")
  func sealed() throws {
    try PersonalCodecs.$ofTask.withValue(MarkingCodec()) {
      for value in values {
        let stored = try StoredEvent(
          sealing: event(
            .goalCreated, [("title", value), ("status", value)], of: person,
            metadata: [("idempotency_key", value), ("method", value)]))
        let payload = try #require(JSONValue(parsing: stored.openedPayload))
        #expect(payload == .object([("title", value), ("status", value)]))
        let metadata = try #require(JSONValue(parsing: stored.openedMetadata))
        #expect(metadata == .object([("idempotency_key", value), ("method", value)]))
      }
      let secret: [(key: String, value: JSONValue)] = [("title", .string("SECRET"))]
      var stored = try StoredEvent(sealing: event(.goalCreated, secret, of: person))
      #expect(!stored.payload.sealedText.contains("SECRET"))
      #expect(stored.payload.sealedText.contains("\(person)/1"))
      stored.metadata = stored.payload
      #expect(stored.openedMetadata == #"{"title":"[forgotten]"}"#)
      stored.id = person
      #expect(stored.openedPayload == #"{"title":"[forgotten]"}"#)
      let nobodys = try StoredEvent(sealing: event(.goalCreated, secret, of: nil))
      #expect(nobodys.payload.sealedText == #"{"title":"SECRET"}"#)
    }
  }

  @Test("Without a key a value is the placeholder of its type, and the rest is still read")
  func forgotten() throws {
    let members: [(key: String, value: JSONValue)] = [
      ("title", .string("SECRET")), ("validation_criteria", .array([.string("SECRET")])),
      ("description", .null), ("ai_feedback", .object([("a", .string("SECRET"))])),
      ("course_id", .string(person.description)), ("progress_percentage", .integer(50)),
    ]
    try PersonalCodecs.$ofTask.withValue(MarkingCodec(hasKeys: false)) {
      let stored = try StoredEvent(sealing: event(.goalCreated, members, of: person))
      #expect(
        JSONValue(parsing: stored.openedPayload)
          == .object([
            ("title", .string("[forgotten]")), ("validation_criteria", .array([])),
            ("description", .null), ("ai_feedback", .object([])),
            ("course_id", .string(person.description)), ("progress_percentage", .integer(50)),
          ]))
      #expect(EventFacts(of: stored).courseID == person)
      let fields = stored.payload.clearFields(["title", "ai_feedback", "progress_percentage"])
      #expect(fields["title"] == nil && fields["ai_feedback"] == nil)
      #expect(fields["progress_percentage"] == .number(JSONNumber(50)))
    }
  }

  @Test("A failing codec keeps the event out of the log")
  func failing() {
    struct Closed: PersonalCodec {
      func seal(
        _ text: String, at place: PersonalPlace, of person: EntityID
      ) throws(SealingFailed) -> PersonalBox? {
        throw SealingFailed("no key")
      }
      func open(_ box: PersonalBox, at place: PersonalPlace) -> String? { nil }
    }
    PersonalCodecs.$ofTask.withValue(Closed()) {
      #expect(throws: SealingFailed.self) {
        try StoredEvent(sealing: event(.goalCreated, [("title", .string("a"))], of: person))
      }
    }
  }

  @Test("A member that nobody declared ends a debug build")
  func undeclared() async {
    await #expect(processExitsWith: .failure) {
      let id = EntityID(high: 1, low: 1)
      _ = try StoredEvent(
        sealing: NewEvent(
          id: id, type: .goalCreated, entityType: .goal, entityID: id, version: 1, userID: id,
          payload: .object([("nickname", .string("Ana"))]),
          createdAt: Timestamp(microsecondsSinceEpoch: 0)))
    }
  }
}
