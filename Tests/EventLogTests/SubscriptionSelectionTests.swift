import Domain
import EventLog
import Testing

@Suite struct `A selection of events` {
  private let userID = EntityID(high: 1, low: 1)
  private let goalID = EntityID(high: 2, low: 2)
  private let taskID = EntityID(high: 3, low: 3)
  private let courseID = EntityID(high: 4, low: 4)

  private func event(
    _ type: String, _ entity: String, _ id: EntityID, payload: String = "{}"
  ) -> StoredEvent {
    StoredEvent(
      id: EntityID(high: 5, low: 5), seq: 1, position: 1, type: type, entityType: entity,
      entityID: id, version: 1, userID: userID, payload: SealedJSON(sealedText: payload),
      metadata: "{}",
      createdAt: Timestamp(microsecondsSinceEpoch: 0))
  }

  private var taskEvent: StoredEvent {
    event(
      "task.completed", "task", taskID,
      payload: #"{"goal_id": "\#(goalID)", "course_id": "\#(courseID)"}"#)
  }

  private func wants(_ event: StoredEvent, _ change: (inout EventFilter) -> Void) -> Bool {
    var filter = EventFilter()
    change(&filter)
    return EventSelection(filter).wants(event, EventFacts(of: event))
  }

  @Test func `without bounds wants everything`() {
    #expect(wants(taskEvent) { _ in })
  }

  @Test func `of a goal wants the goal and its tasks`() {
    #expect(wants(event("goal.created", "goal", goalID)) { $0.goalIDs = [goalID] })
    #expect(wants(taskEvent) { $0.goalIDs = [goalID] })
    #expect(!wants(taskEvent) { $0.goalIDs = [taskID] })
    #expect(!wants(event("user.created", "user", userID)) { $0.goalIDs = [goalID] })
  }

  @Test func `of a course wants the course, its enrolments, goals and tasks`() {
    let inCourse = #"{"course_id": "\#(courseID)"}"#
    #expect(wants(event("course.updated", "course", courseID)) { $0.courseIDs = [courseID] })
    #expect(
      wants(event("course.enrolled", "enrolment", taskID, payload: inCourse)) {
        $0.courseIDs = [courseID]
      })
    #expect(
      wants(event("goal.created", "goal", goalID, payload: inCourse)) {
        $0.courseIDs = [courseID]
      })
    #expect(wants(taskEvent) { $0.courseIDs = [courseID] })
    #expect(
      !wants(event("goal.created", "goal", goalID, payload: #"{"course_id": null}"#)) {
        $0.courseIDs = [courseID]
      })
  }

  @Test func `wants types and whole kinds`() {
    #expect(wants(taskEvent) { $0.types = ["goal.created", "task.completed"] })
    #expect(wants(taskEvent) { $0.types = ["task.*"] })
    #expect(!wants(taskEvent) { $0.types = ["task"] })
    #expect(!wants(taskEvent) { $0.types = ["goal.*"] })
  }

  @Test func `wants only that for which every bound holds`() {
    #expect(
      wants(taskEvent) {
        $0.userIDs = [userID]
        $0.taskIDs = [taskID]
        $0.types = ["task.*"]
      })
    #expect(
      !wants(taskEvent) {
        $0.userIDs = [goalID]
        $0.taskIDs = [taskID]
      })
  }

  @Test func `reads nothing out of a payload that is not an object`() {
    #expect(
      EventFacts(of: event("x.y", "task", taskID, payload: "[1")) == EventFacts(taskID: taskID))
    let wrong = #"{"goal_id": 7, "course_id": "nonsense"}"#
    #expect(
      EventFacts(of: event("x.y", "task", taskID, payload: wrong)) == EventFacts(taskID: taskID))
  }
}
