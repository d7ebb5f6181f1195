import Domain
import JSON
import PostgresStore
import Replay

/// Shows one entity as its events say that it was.
enum ReplayEntity {
  /// - Parameter name: the kind and the id, for example `goal/0197…`.
  static func show(
    _ name: String, at moment: ReplayMoment?, _ plan: ReplayPlan, _ database: PostgresDatabase
  ) async throws {
    let parts = name.split(separator: "/")
    guard parts.count == 2, let type = EntityType(rawValue: String(parts[0])),
      let id = EntityID(String(parts[1]))
    else {
      let kinds = EntityType.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure(
        "'\(name)' is not KIND/ID, with a kind of \(kinds)", exitStatus: ExitStatus.usage)
    }
    guard
      let event = try await PostgresEntityHistory(
        database, log: PostgresEventLog(database, archive: try? plan.lake())
      ).lastEvent(of: type, id, through: moment?.position)
    else {
      throw CommandFailure("there is no \(name)\(moment == nil ? "" : " at that time")")
    }
    Output.note(
      "\(name) after \(event.type) at \(event.createdAt), position \(event.position), version "
        + "\(event.version)")
    Output.line(try state(of: event).text)
  }

  /// The row, or for entities without one what the event says.
  private static func state(of event: StoredEvent) throws(RebuildProblem) -> JSONValue {
    let made: RebuiltRow?
    do throws(RebuildProblem) {
      made = try RebuiltRow.of(event)
    } catch {
      // What a later build made of it can be shown as it is.
      guard error.isOfLaterBuild, let payload = JSONValue(parsing: event.openedPayload) else {
        throw error
      }
      return payload
    }
    guard let row = made else { return try Upcaster.upcast(event).payload }
    return .object(row.columns.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }
}
