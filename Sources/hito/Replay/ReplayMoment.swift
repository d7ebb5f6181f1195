import DescriptorJSON
import Domain
import PostgresStore
import Service

/// A moment of the log, as people name it.
struct ReplayMoment: Sendable {
  /// The last event that counts.
  var position: Int64

  /// - Parameters:
  ///   - text: a time, a position, or a cursor that a server gave; nil: the end.
  ///   - secret: the installation's, which cursors are sealed with.
  static func find(
    _ text: String?, _ plan: ReplayPlan, secret: [UInt8], _ database: PostgresDatabase
  ) async throws -> ReplayMoment? {
    guard let text else { return nil }
    let log = PostgresEventLog(database, archive: try? plan.lake())
    let head = try await log.head()
    if let position = Int64(text) {
      guard (0...head).contains(position) else {
        throw CommandFailure("position \(position) is not in the log, which ends at \(head)")
      }
      return ReplayMoment(position: position)
    }
    if let microseconds = TimeText.microseconds(text) {
      let time = Timestamp(microsecondsSinceEpoch: microseconds)
      return ReplayMoment(position: try await log.position(at: time))
    }
    let history = try await log.history()
    let codec = CursorCodec(secret: secret, history: { history })
    switch codec.namedPlace(text) {
    case .position(let position) where position <= head: return ReplayMoment(position: position)
    case .event(let id):
      guard let position = try await log.position(of: id) else { break }
      return ReplayMoment(position: position)
    default: break
    }
    throw CommandFailure(
      "'\(text)' is not a time, a position or a cursor of this log", exitStatus: ExitStatus.usage)
  }
}
