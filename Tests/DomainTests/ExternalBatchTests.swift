import Domain
import JSON
import Testing

@Suite struct `A batch of events of other systems` {
  private let ids = UUIDv7Generator()
  private let now = Timestamp(microsecondsSinceEpoch: 1_767_225_600_000_000)

  private func event(
    _ id: String, subject: String = "", hash: UInt8 = 1, source: String = "lms"
  ) -> ExternalEvent {
    ExternalEvent(
      type: "external.graded", source: source, externalID: id, subject: subject, userID: nil,
      payload: .object([("points", .integer(3))]),
      occurredAt: now.advanced(by: .seconds(-86_400)),
      contentHash: [UInt8](repeating: hash, count: 32))
  }

  private func batch(
    _ events: [ExternalEvent], known: [ExternalRecord] = [], subjects: [ExternalSubject] = []
  ) throws -> ExternalBatch {
    try ExternalBatch(
      events, known: known, subjects: subjects, now: now, ids: ids, metadata: .object([]))
  }

  @Test func `stores what is new, with its own time and type`() throws {
    let made = try batch([event("1"), event("2")])
    #expect(made.events.map(\.id) == made.eventIDs)
    #expect(made.records.map(\.eventID) == made.eventIDs)
    #expect(made.events.map(\.typeText) == ["external.graded", "external.graded"])
    #expect(made.events[0].createdAt == now.advanced(by: .seconds(-86_400)))
    #expect(made.events[0].version == 1 && made.events[0].entityID == made.eventIDs[0])
    #expect(made.events[0].payload["data"]?["points"] == .integer(3))
    #expect(made.changedSubjects.isEmpty)
  }

  @Test func `gives a repeat the id that it has`() throws {
    let first = try batch([event("1")])
    let again = try batch([event("1"), event("3"), event("3")], known: first.records)
    #expect(again.eventIDs[0] == first.eventIDs[0])
    #expect(again.eventIDs[1] == again.eventIDs[2])
    #expect(again.events.count == 1)
    let elsewhere = try batch([event("1", source: "crm")], known: first.records)
    #expect(elsewhere.events.count == 1)
  }

  @Test func `refuses another content under a known id, and stores nothing`() throws {
    let first = try batch([event("1")])
    #expect(throws: ExternalBatch.Conflict(index: 1)) {
      try batch([event("9"), event("1", hash: 2)], known: first.records)
    }
    #expect(throws: ExternalBatch.Conflict(index: 1)) {
      try batch([event("9"), event("9", hash: 2)])
    }
  }

  @Test func `counts the events of a subject`() throws {
    let known = ExternalSubject(
      key: SubjectKey(source: "lms", subject: "a"), entityID: ids.next(at: now), version: 7,
      loadedVersion: 7)
    let made = try batch(
      [event("1", subject: "a"), event("2", subject: "b"), event("3", subject: "a")],
      subjects: [known])
    #expect(made.events.map(\.version) == [8, 1, 9])
    #expect(made.events[0].entityID == known.entityID)
    #expect(made.changedSubjects.map(\.version) == [9, 1])
    #expect(made.changedSubjects.map(\.loadedVersion) == [7, 0])
  }

  @Test(arguments: ["external.a", "external.grade_given"])
  func `knows types`(_ type: String) { #expect(ExternalEvent.isType(type)) }

  @Test(
    arguments: [
      "", "external.", "external", "goal.created", "external.A", "external.a.b", "external.a1",
      "external." + String(repeating: "a", count: 61),
    ])
  func `refuses other types`(_ type: String) { #expect(!ExternalEvent.isType(type)) }

  @Test func `knows sources`() {
    #expect(ExternalEvent.isSource("lms-1.example_org"))
    for bad in ["", "LMS", "a b", String(repeating: "a", count: 61)] {
      #expect(!ExternalEvent.isSource(bad))
    }
  }
}
