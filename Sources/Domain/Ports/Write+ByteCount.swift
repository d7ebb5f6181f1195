internal import JSON

extension Write {
  private static let rowByteCount = 512
  /// A vector, and the words that its passage is found by.
  private static let passageByteCount = 4096

  static func byteCount(
    of changes: [Change], _ events: [NewEvent], _ reply: KeyedReply?
  ) -> Int64 {
    var count = reply?.reply.count ?? 0
    // An event holds the whole entity: whatever its row has, is counted here.
    for event in events {
      count += rowByteCount + byteCount(of: event.payload) + byteCount(of: event.metadata)
    }
    for change in changes { count += byteCount(of: change) }
    return Int64(count)
  }

  /// About what the value takes as text.
  private static func byteCount(of value: JSONValue) -> Int {
    switch value {
    case .string(let text): text.utf8.count + 2
    case .array(let elements): elements.reduce(2) { $0 + byteCount(of: $1) + 1 }
    case .object(let members):
      members.reduce(2) { $0 + $1.key.utf8.count + 4 + byteCount(of: $1.value) }
    default: 8
    }
  }

  private static func byteCount(of change: Change) -> Int {
    switch change {
    case .insertUser, .updateUser, .insertEnrolment, .updateEnrolment, .updateSnapshot, .insertRun,
      .updateRun, .saveQuota, .insertGroup, .updateGroup, .deleteGroup, .unpark:
      return rowByteCount
    case .insertCourse(let course), .updateCourse(let course):
      return rowByteCount + byteCount(course.title, course.description)
    case .saveGoal(let aggregate):
      let goal = aggregate.goal
      let texts = byteCount([goal.title, goal.description] + goal.validationCriteria)
      return aggregate.changedTasks.reduce(rowByteCount + texts) { sum, task in
        sum + rowByteCount + byteCount([task.title, task.description] + task.validationCriteria)
      }
    case .insertSnapshot(let snapshot):
      // Once in its table, and once beside the log.
      return snapshot.files.reduce(rowByteCount + 2 * byteCount(snapshot.content)) { sum, file in
        sum + rowByteCount + 2 * byteCount(file.content)
      }
    case .insertValidation: return rowByteCount
    case .updateValidation(let run, _, let full):
      return [run.report, full?.report].reduce(rowByteCount) { sum, report in
        sum + (report.map { byteCount(of: $0.json) } ?? 0)
      }
    case .insertSuite(let stored): return rowByteCount + byteCount(of: stored.suite.json)
    case .insertExternals(let records): return rowByteCount * records.count
    case .saveSubjects(let subjects): return rowByteCount * subjects.count
    case .insertTaskTests(let tests): return rowByteCount * tests.count
    case .saveDocument(let document):
      return rowByteCount + 2 * byteCount(document.content ?? "")
    case .savePassages(let update):
      return update.upserts.reduce(0) { sum, upsert in
        sum + passageByteCount + byteCount(upsert.passage.title, upsert.passage.content)
      }
    }
  }

  private static func byteCount(_ texts: String...) -> Int { byteCount(texts) }

  private static func byteCount(_ texts: [String]) -> Int {
    texts.reduce(0) { $0 + $1.utf8.count }
  }
}
