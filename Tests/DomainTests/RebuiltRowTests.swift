import Domain
import Foundation
import JSON
import Testing

/// Events of every type and version, as builds of their time wrote them, and the rows that they make.
@Suite struct GoldenEventTests {
  private struct Golden {
    var name: String
    var event: StoredEvent
    var expected: JSONValue
  }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Golden/events")

  private static func corpus() throws -> [Golden] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    return try names.filter { $0.hasSuffix(".json") }.sorted().map { name in
      let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
      let json = try #require(JSONValue(parsing: bytes), "\(name)")
      func text(_ member: String) throws -> String {
        try #require(json[member]?.stringValue, "\(name): \(member)")
      }
      let event = StoredEvent(
        id: try #require(json["id"]?.id), seq: 1, position: 1, type: try text("event_type"),
        entityType: try text("entity_type"), entityID: try #require(json["entity_id"]?.id),
        version: try #require(json["version"]?.integerValue), userID: json["user_id"]?.id,
        payload: SealedJSON(sealedText: try #require(json["payload"]).text),
        metadata: SealedJSON(sealedText: try #require(json["metadata"]).text),
        schemaVersion: Int32(try #require(json["schema_version"]?.integerValue)),
        createdAt: Timestamp(microsecondsSinceEpoch: 0))
      return Golden(name: name, event: event, expected: try #require(json["row"]))
    }
  }

  private static func json(_ row: RebuiltRow) -> JSONValue {
    let contents = row.contents.sorted { $0.key < $1.key }
    return .object([
      ("table", .string(row.table.rawValue)),
      ("columns", .object(row.columns.map { ($0.key, $0.value) })),
      ("contents", .array(contents.map { .string($0.key) })),
      ("files", .array(row.files.map { .string($0.path) })),
      ("revision", row.goalRevision?.revision.map(JSONValue.integer) ?? .null),
      ("unknown", .array(row.unknown.map(\.rawValue).sorted().map(JSONValue.string))),
    ])
  }

  @Test func `every event of the corpus makes the row that it always made`() throws {
    for golden in try Self.corpus() {
      let row = try RebuiltRow.of(golden.event)
      #expect(row.map(Self.json) ?? .null == golden.expected, "\(golden.name)")
    }
  }

  @Test func `every type is in the corpus, and those that changed in both forms`() throws {
    let corpus = try Self.corpus()
    #expect(Set(EventType.allCases.map(\.rawValue)).subtracting(corpus.map(\.event.type)).isEmpty)
    for kind in ["goal", "task", "code"] {
      let versions = Set(corpus.filter { $0.event.kind == kind }.map(\.event.schemaVersion))
      #expect(versions == [1, 2], "\(kind)")
    }
  }
}

@Suite struct RebuiltRowTests {
  private let fixture = GoalFixture()

  private func stored(_ event: NewEvent) throws -> StoredEvent {
    try StoredEvent(sealing: event)
  }

  private func problem(_ event: StoredEvent) throws -> RebuildProblem.Reason {
    try #require(throws: RebuildProblem.self) { try RebuiltRow.of(event) }.reason
  }

  @Test func `goals and tasks say the revision of the goal's row after the write`() throws {
    let created = try GoalAggregate.create(
      fixture.goal(), tasks: [TaskDraft(title: "uno"), TaskDraft(title: "dos")],
      context: fixture.context)
    var aggregate = GoalAggregate(loaded: created.goal, tasks: created.tasks)
    try aggregate.applyToTask(
      created.tasks[0].id, .start, expectedVersion: nil, context: fixture.context)
    for (events, revision) in [(created.events, Int64(1)), (aggregate.events, 2)] {
      #expect(!events.isEmpty)
      for event in events {
        let row = try #require(try RebuiltRow.of(try stored(event)))
        #expect(row.goalRevision == GoalRevision(goalID: created.goal.id, revision: revision))
      }
    }
  }

  @Test func `what is missing or wrong is named with its event`() throws {
    let event = try stored(
      try GoalAggregate.create(fixture.goal(), tasks: [], context: fixture.context).events[0])
    #expect(try RebuiltRow.of(event)?.columns["title"] == .string("Aprender FastAPI"))
    func changed(_ from: String, _ to: String) -> StoredEvent {
      var changed = event
      let text = event.payload.sealedText
      #expect(text.contains(from))
      changed.payload = SealedJSON(sealedText: text.replacing(from, with: to))
      return changed
    }
    #expect(try problem(changed("\"title\"", "\"titel\"")) == .missing(member: "title"))
    #expect(
      try problem(changed("\"status\":\"pending\"", "\"status\":7"))
        == .wrong(member: "status", wanted: "a text"))
    #expect(
      try problem(changed("\"revision\":1", "\"revision\":0"))
        == .wrong(member: "revision", wanted: "a number above 0"))
    #expect(try problem(changed("{", "[")) == .notAnObject)
    var other = event
    // Of a later build: it is the whole goal all the same, where it is as this build knows goals.
    other.type = "goal.sung"
    #expect(try RebuiltRow.of(other)?.columns == RebuiltRow.of(event)?.columns)
    other = changed("\"title\"", "\"titel\"")
    other.type = "goal.sung"
    #expect(try problem(other) == .unknownType)
    // Nor does anything of what this build has no table for end a replay.
    for (type, entity) in [
      ("choir.sang", "choir"), ("goal.linked", "goal_link"), ("ai.tool_called", "agent_run"),
    ] {
      other = event
      (other.type, other.entityType) = (type, entity)
      #expect(try RebuiltRow.of(other) == nil)
    }
    other = event
    other.schemaVersion = 3
    #expect(try problem(other) == .laterSchema(3))
    other.schemaVersion = 0
    #expect(try problem(other) == .laterSchema(0))
    #expect(!RebuildProblem(event, .laterSchema(0)).isOfLaterBuild)
    #expect(RebuildProblem(event, .laterSchema(3)).isOfLaterBuild)
    let text = try #require(throws: RebuildProblem.self) { try RebuiltRow.of(other) }.description
    #expect(text.contains(other.id.description) && text.contains("goal.created"))
  }

  @Test func `first events of enrolments say who made them in their metadata`() throws {
    let (learner, teacher) = (fixture.userID, EntityID(high: 5, low: 5))
    for (actor, isDirect) in [(learner, false), (teacher, true)] {
      let times = #""created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z""#
      let event = StoredEvent(
        id: EntityID(high: 8, low: 8), seq: 1, position: 1, type: "course.enrolled",
        entityType: "enrolment", entityID: EntityID(high: 9, low: 9), version: 1, userID: learner,
        payload: SealedJSON(
          sealedText:
            #"{"course_id":"\#(teacher)","user_id":"\#(learner)","is_active":true,\#(times)}"#),
        metadata: SealedJSON(sealedText: #"{"actor":{"user_id":"\#(actor)"}}"#), schemaVersion: 1,
        createdAt: Timestamp(microsecondsSinceEpoch: 0))
      let row = try #require(try RebuiltRow.of(event))
      #expect(row.columns["state"] == .string("active"))
      #expect(row.columns["changed_by"] == .string(actor.description))
      #expect(row.columns["is_direct"] == .bool(isDirect))
    }
  }
}
