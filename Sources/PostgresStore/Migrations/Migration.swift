import Digits

/// One step of the schema. Released ones are never edited: a checksum tells.
package struct Migration: Sendable {
  package enum Down: Sendable {
    case sql(String)
    /// There is no way back; the reason is shown to who asks for one.
    case irreversible(String)
  }

  /// Work on large tables before `up`, in transactions of its own, while others use the database. It
  /// begins anew when it was interrupted.
  package enum Preparation: Sendable {
    case once(String)
    /// A chunk: repeated until it changes no row.
    case untilNothingIsLeft(String)
  }

  /// 1, 2, 3, … without gaps.
  package let version: Int
  package let name: String
  package let preparation: [Preparation]
  package let up: String
  package let down: Down

  package init(
    version: Int, name: String, preparation: [Preparation] = [], up: String, down: Down
  ) {
    self.version = version
    self.name = name
    self.preparation = preparation
    self.up = up
    self.down = down
  }

  /// Tells an edited migration from the one that was applied (over all of it).
  package var checksum: String {
    var hash = FNV1a(up)
    if case .sql(let down) = down { hash.mix(down) }
    for step in preparation {
      switch step {
      case .once(let sql), .untilNothingIsLeft(let sql): hash.mix(sql)
      }
    }
    return Digits.hexadecimal(hash.value)
  }

  /// Every migration of this build, in order.
  package static let all: [Migration] = [
    .usersAndCourses, .goalsAndTasks, .events, .embeddingsAndSnapshots, .serverState,
    .snapshotVerdicts, .entityTypes, .passages, .agentRuns, .courseDocuments,
    .binaryQuantization, .tokenFamilies, .eventPositions, .placesInCourses, .replies,
    .courseCopies, .vectorsOfGoals, .logEpochs, .growth, .eventReads, .eventFloor,
    .validations, .audit, .consumerGroups, .externalEvents, .publications, .eventBlobs,
    .auditRetention, .processReports, .words, .encoderName, .scripts,
  ]
}
