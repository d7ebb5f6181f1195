extension Write {
  private static let rowByteCount = 512
  /// A vector, and the words that its passage is found by.
  private static let passageByteCount = 4096

  /// About what the write stores: its texts, code and documents, what they are found by, its events,
  /// and the reply that is remembered. Quotas are counted in it.
  package var storedByteCount: Int64 {
    var count = (reply?.reply.count ?? 0) + events.count * Write.rowByteCount
    for change in changes { count += Write.byteCount(of: change) }
    return Int64(count)
  }

  private static func byteCount(of change: Change) -> Int {
    switch change {
    case .insertUser, .updateUser, .insertEnrolment, .updateEnrolment, .updateSnapshot, .insertRun,
      .updateRun, .saveQuota:
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
      return rowByteCount + byteCount(snapshot.content)
    case .saveDocument(let document):
      return rowByteCount + byteCount(document.content ?? "")
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
