import Digits

/// One step of the schema. Released ones are never edited: a checksum tells.
package struct Migration: Sendable {
  package enum Down: Sendable {
    case sql(String)
    /// There is no way back; the reason is shown to who asks for one.
    case irreversible(String)
  }

  /// 1, 2, 3, … without gaps.
  package let version: Int
  package let name: String
  package let up: String
  package let down: Down

  package init(version: Int, name: String, up: String, down: Down) {
    self.version = version
    self.name = name
    self.up = up
    self.down = down
  }

  /// Tells an edited migration from the one that was applied (over both ways).
  package var checksum: String {
    var hash = FNV1a(up)
    if case .sql(let down) = down { hash.mix(down) }
    return Digits.hexadecimal(hash.value)
  }

  /// Every migration of this build, in order.
  package static let all: [Migration] = [
    .usersAndCourses, .goalsAndTasks, .events, .embeddingsAndSnapshots, .serverState,
    .snapshotVerdicts, .entityTypes, .passages, .agentRuns, .courseDocuments,
    .binaryQuantization, .tokenFamilies, .courseCopies,
  ]
}
