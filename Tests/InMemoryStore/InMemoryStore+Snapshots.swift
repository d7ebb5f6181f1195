package import Domain

extension InMemoryStore: SnapshotRepository {
  package func snapshot(
    _ id: EntityID, scope: AccessScope
  ) async throws(StoreError) -> FoundSnapshot? {
    try access(.read) { state in
      guard let snapshot = state.snapshots[id] else { return nil }
      let isOverseen = state.oversees(snapshot, scope)
      guard isOverseen || state.seesAsExample(snapshot, scope) else { return nil }
      let goal = snapshot.goalID.flatMap { state.goals[$0] }
      // Read apart.
      var bare = snapshot
      bare.files = []
      return FoundSnapshot(
        snapshot: bare, goalCourseID: goal?.status == .deleted ? nil : goal?.courseID,
        isExample: !isOverseen)
    }
  }

  package func authors(of ids: [EntityID]) async throws(StoreError) -> [EntityID] {
    try access(.read) { state in Array(Set(ids.compactMap { state.snapshots[$0]?.userID })) }
  }

  package func snapshots(
    _ filter: SnapshotFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<CodeSnapshot> {
    try access(.read) { state in
      let snapshots = state.snapshots.values.filter { snapshot in
        let isListed =
          if let taskID = filter.taskID, filter.ownerID == nil {
            snapshot.taskID == taskID
          } else {
            state.isListed(snapshot.userID, filter.ownerID, scope)
              && (filter.taskID == nil || snapshot.taskID == filter.taskID)
          }
        return isListed && state.oversees(snapshot, scope)
          && (filter.verdict == nil || snapshot.judgement?.verdict == filter.verdict)
      }.map { snapshot in
        var bare = snapshot
        bare.content = ""
        bare.files = []
        return bare
      }
      return cut(snapshots, page) { PageKey(time: $0.createdAt, id: $0.id) }
    }
  }
}

extension InMemoryStore.State {
  /// Writes the verdict and the sharing; all else stays what it was.
  mutating func update(_ snapshot: CodeSnapshot) -> Bool {
    guard var stored = snapshots[snapshot.id], stored.version == snapshot.version - 1 else {
      return false
    }
    stored.judgement = snapshot.judgement
    stored.isShared = snapshot.isShared
    stored.version = snapshot.version
    stored.updatedAt = snapshot.updatedAt
    snapshots[snapshot.id] = stored
    return true
  }

  func oversees(_ snapshot: CodeSnapshot, _ scope: AccessScope) -> Bool {
    if scope.role.seesEverybody || snapshot.userID == scope.callerID { return true }
    guard scope.role == .instructor, let goal = snapshot.goalID.flatMap({ goals[$0] }),
      goal.status != .deleted
    else { return false }
    return oversees(scope.callerID, snapshot.userID, in: goal.courseID)
  }

  func seesAsExample(_ snapshot: CodeSnapshot, _ scope: AccessScope) -> Bool {
    if snapshot.isSharedExample(trusting: trustedGraders(of: scope.callerID)) { return true }
    guard let course = snapshot.referenceCourseID.flatMap({ courses[$0] }) else { return false }
    return course.status != .deleted
      && (course.userID == scope.callerID || isEnrolled(scope.callerID, in: course.id))
  }
}
