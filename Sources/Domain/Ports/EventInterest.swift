/// Which events concern a reader at most: those that are wanted, of those that may be visible.
///
/// It is what the log and its live end look by. Which of others' events an instructor may see is
/// decided for each event: this leaves none of them out.
package struct EventInterest: Sendable, Hashable {
  /// The property that leads to the events: the first that has a bound. In front are those that
  /// hardly any event has in common.
  package enum Lead: Sendable, Hashable, CaseIterable {
    case tasks
    case goals
    case users
    case courses
    /// Of one user and of the courses that they own.
    case overseer
    case types
    /// Nothing is bounded.
    case everything
    /// No event can concern this reader.
    case nothing
  }

  /// Without doubles; a learner's has the learner as its only user.
  package let filter: EventFilter
  /// Only events of this user and of the courses that they own; nil: everybody's.
  package let overseerID: EntityID?
  package let lead: Lead

  package init(_ filter: EventFilter, _ scope: AccessScope) {
    var wanted = EventFilter()
    wanted.userIDs = filter.userIDs.withoutDoubles
    wanted.goalIDs = filter.goalIDs.withoutDoubles
    wanted.taskIDs = filter.taskIDs.withoutDoubles
    wanted.courseIDs = filter.courseIDs.withoutDoubles
    wanted.types = filter.types.withoutDoubles
    var isOthers = false
    if scope.role == .learner {
      isOthers = !wanted.userIDs.isEmpty && !wanted.userIDs.contains(scope.callerID)
      wanted.userIDs = [scope.callerID]
    }
    self.filter = wanted
    overseerID = scope.role == .instructor ? scope.callerID : nil
    lead = isOthers ? .nothing : EventInterest.lead(of: wanted, isOverseen: overseerID != nil)
  }

  private static func lead(of filter: EventFilter, isOverseen: Bool) -> Lead {
    if !filter.taskIDs.isEmpty { return .tasks }
    if !filter.goalIDs.isEmpty { return .goals }
    if !filter.userIDs.isEmpty { return .users }
    if !filter.courseIDs.isEmpty { return .courses }
    if isOverseen { return .overseer }
    return filter.types.isEmpty ? .everything : .types
  }
}

extension Array where Element: Hashable {
  fileprivate var withoutDoubles: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
