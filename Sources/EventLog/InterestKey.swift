package import Domain

/// What waiters of the live end are found by.
enum InterestKey: Sendable, Hashable {
  case any
  case task(EntityID)
  case goal(EntityID)
  case user(EntityID)
  case course(EntityID)
  /// Events of a course that this user owns.
  case owner(EntityID)
  /// Events of a course whose owner is not known here.
  case unknownOwner
  case type(String)
  case kind(String)
}

/// What a reader stands under while it waits: made once, and shared by all of its waits.
package struct InterestKeys: Sendable {
  let keys: [InterestKey]

  package init(_ interest: EventInterest) { keys = interest.keys }
}

extension EventInterest {
  /// An event that concerns the reader has at least one of them.
  var keys: [InterestKey] {
    switch lead {
    case .tasks: filter.taskIDs.map(InterestKey.task)
    case .goals: filter.goalIDs.map(InterestKey.goal)
    case .users: filter.userIDs.map(InterestKey.user)
    case .courses: filter.courseIDs.map(InterestKey.course)
    case .overseer:
      overseerID.map { [.user($0), .owner($0), .unknownOwner] } ?? []
    case .types:
      filter.types.map { $0.hasSuffix(".*") ? .kind(String($0.dropLast(2))) : .type($0) }
    case .everything: [.any]
    case .nothing: []
    }
  }
}

extension SharedEvent {
  /// - Parameter owner: of its course, where that is known.
  func keys(owner: EntityID?) -> [InterestKey] {
    var keys: [InterestKey] = [.any, .type(event.type), .kind(String(event.kind))]
    if let id = event.userID { keys.append(.user(id)) }
    if let id = facts.goalID { keys.append(.goal(id)) }
    if let id = facts.taskID { keys.append(.task(id)) }
    if let id = facts.courseID {
      keys.append(.course(id))
      keys.append(owner.map(InterestKey.owner) ?? .unknownOwner)
    }
    return keys
  }
}
