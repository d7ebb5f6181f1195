import Domain
import EventLake
import Foundation

/// A folder of its own for one test, removed when the test lets go of it.
final class TemporaryFolder: Sendable {
  let path: String

  /// In memory where the system has such a place: these tests sync thousands of files.
  init() throws {
    let memory = URL(fileURLWithPath: "/dev/shm")
    let base =
      FileManager.default.isWritableFile(atPath: memory.path)
      ? memory : FileManager.default.temporaryDirectory
    let url = base.appendingPathComponent("hito-lake-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A generator whose values a test can repeat: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}

enum Fixtures {
  /// 2026-11-02T00:00:00Z, a Monday.
  static let monday = Timestamp(microsecondsSinceEpoch: 1_793_577_600_000_000)
  static let day: Int64 = 86_400_000_000

  static func user(_ number: UInt64) -> EntityID {
    EntityID(high: 0x0198_0000_0000_7000, low: 0x8000_0000_0000_0000 | number)
  }

  static func event(
    _ position: Int64, _ type: String = "goal.created", user number: UInt64? = 1,
    at createdAt: Timestamp = Fixtures.monday, payload: String = #"{"title":"Aprender FastAPI"}"#
  ) -> StoredEvent {
    StoredEvent(
      id: EntityID(high: 0x0199_0000_0000_7000, low: UInt64(position)), seq: position,
      position: position, type: type, entityType: "goal",
      entityID: EntityID(high: 7, low: UInt64(position % 17)), version: position,
      userID: number.map(user), payload: SealedJSON(sealedText: payload),
      metadata: #"{"actor":"test"}"#,
      createdAt: createdAt)
  }

  static let types = [
    "goal.created", "goal.completed", "goal.progressed", "task.created", "task.completed",
    "code.validated", "code.submitted", "user.updated", "course.enrolled", "ai.node_finished",
    "crm.lead_created",
  ]

  /// `count` events of several users and kinds, spread over `days` days before `end`.
  static func random(
    _ count: Int, from first: Int64 = 1, users: UInt64 = 5, days: Int64 = 12,
    before end: Timestamp, using random: inout SeededGenerator
  ) -> [StoredEvent] {
    (0..<Int64(count)).map { index in
      let type = types[Int.random(in: 0..<types.count, using: &random)]
      let ago = Int64.random(in: 1...(days * day), using: &random)
      return event(
        first + index, type,
        user: UInt64.random(in: 0..<20, using: &random) == 0
          ? nil : UInt64.random(in: 1...users, using: &random),
        at: Timestamp(microsecondsSinceEpoch: end.microsecondsSinceEpoch - ago),
        payload: payload(of: type, using: &random))
    }
  }

  private static func payload(of type: String, using random: inout SeededGenerator) -> String {
    switch type {
    case "code.validated":
      let score = Double(Int.random(in: 0...1000, using: &random)) / 1000
      let passed = Bool.random(using: &random)
      // Some have no score, and one in ten writes a whole number.
      switch Int.random(in: 0..<10, using: &random) {
      case 0: return #"{"language":"python","validation_passed":\#(passed)}"#
      case 1: return #"{"validation_score":1,"validation_passed":true}"#
      case 2: return #"{"validation_score":null}"#
      default:
        return
          #"{"language":"python","validation_score":\#(score),"validation_passed":\#(passed)}"#
      }
    case "goal.progressed":
      return #"{"id":"g","progress_percentage":\#(Int.random(in: 0...100, using: &random)).5}"#
    case "task.completed": return #"{"title":"Añadir tests ✓ \"ya\"","ordinal":3}"#
    case "ai.node_finished": return #"{"model":"m","prompt_tokens":120,"duration_ms":1.5}"#
    default: return #"{"title":"Aprender","metadata":{"technologies":["swift","sql"]}}"#
    }
  }
}
