package import Domain

extension InMemoryStore: WriteStore {
  package func commit(_ write: Write) async throws(StoreError) -> CommitOutcome {
    let hook = state.withLock { state in
      state.commitHooks.isEmpty ? nil : state.commitHooks.removeFirst()
    }
    await hook?()
    let result: Result<CommitOutcome, StoreError> = state.withLock { state in
      if let fault = state.takeFault(.commit) { return .failure(fault) }
      let result = state.commit(write)
      if let fault = state.takeFault(.commitAnswer) { return .failure(fault) }
      return result
    }
    return try result.get()
  }

  package func reply(to request: RequestKey) async throws(StoreError) -> StoredReply? {
    try access(.read) { $0.reply(to: request) }
  }
}

extension InMemoryStore.State {
  func reply(to request: RequestKey) -> StoredReply? {
    let key = InMemoryStore.ReplyKey(
      callerID: request.callerID, method: request.method, key: request.key)
    guard let known = replies[key] else { return nil }
    return known.request.requestHash == request.requestHash ? .reply(known.reply) : .otherRequest
  }

  mutating func commit(_ write: Write) -> Result<CommitOutcome, StoreError> {
    if let request = write.reply?.request, let known = reply(to: request) {
      return .success(CommitOutcome(known))
    }
    // All or nothing: on a copy that is thrown away where a change does not hold.
    var next = self
    for change in write.changes {
      do throws(StoreError) {
        guard try next.apply(change) else { return .success(.stale) }
      } catch {
        return .failure(error)
      }
    }
    for event in write.events { next.append(event) }
    if let reply = write.reply {
      let key = InMemoryStore.ReplyKey(
        callerID: reply.request.callerID, method: reply.request.method, key: reply.request.key)
      next.replies[key] = reply
    }
    self = next
    return .success(.committed)
  }

  private mutating func append(_ event: NewEvent) {
    waiting.append(
      StoredEvent(
        id: event.id, seq: nextSeq, position: 0, type: event.type.rawValue,
        entityType: event.entityType.rawValue, entityID: event.entityID, version: event.version,
        userID: event.userID, payload: event.payload.text, metadata: event.metadata.text,
        createdAt: event.createdAt))
    nextSeq += 1
  }

  /// - Returns: false where a guarded row has moved on.
  private mutating func apply(_ change: Change) throws(StoreError) -> Bool {
    switch change {
    case .insertUser(let user):
      try checkExternalID(of: user)
      users[user.id] = user
    case .updateUser(let user):
      guard users[user.id]?.version == user.version - 1 else { return false }
      try checkExternalID(of: user)
      users[user.id] = user
    case .insertCourse(let course):
      courses[course.id] = course
    case .updateCourse(let course):
      guard courses[course.id]?.version == course.version - 1 else { return false }
      courses[course.id] = course
    case .insertEnrolment(let enrolment):
      let isTaken = enrolments.values.contains {
        $0.courseID == enrolment.courseID && $0.userID == enrolment.userID
      }
      if isTaken { throw .duplicate(constraint: "enrolments_course_id_user_id_key") }
      enrolments[enrolment.id] = enrolment
    case .updateEnrolment(let enrolment):
      guard enrolments[enrolment.id]?.version == enrolment.version - 1 else { return false }
      enrolments[enrolment.id] = enrolment
    case .saveGoal(let aggregate):
      return save(aggregate)
    case .insertSnapshot(let snapshot):
      snapshots[snapshot.id] = snapshot
    case .updateSnapshot(let snapshot):
      guard snapshots[snapshot.id]?.version == snapshot.version - 1 else { return false }
      snapshots[snapshot.id] = snapshot
    case .saveDocument(let document):
      return try save(document)
    case .savePassages(let update):
      save(update)
    case .insertRun(let run):
      runs[run.id] = run
    case .updateRun(let run, let version):
      return update(run, after: version)
    }
    return true
  }

  private mutating func save(_ update: PassageUpdate) {
    func key(_ number: Int32) -> InMemoryStore.PassageKey {
      InMemoryStore.PassageKey(kind: update.kind, entityID: update.entityID, number: number)
    }
    if update.removesAll {
      passages = passages.filter {
        $0.key.kind != update.kind || $0.key.entityID != update.entityID
      }
    }
    for number in update.removedChunkNumbers { passages[key(number)] = nil }
    for upsert in update.upserts { passages[key(upsert.passage.chunkNumber)] = upsert }
  }

  private mutating func save(_ aggregate: GoalAggregate) -> Bool {
    var goal = aggregate.goal
    if let loaded = aggregate.loadedRevision {
      guard goals[goal.id]?.revision == loaded else { return false }
      goal.revision = loaded + 1
    }
    goals[goal.id] = goal
    for task in aggregate.changedTasks { tasks[task.id] = task }
    return true
  }

  private func checkExternalID(of user: User) throws(StoreError) {
    guard let name = user.externalID else { return }
    if users.values.contains(where: { $0.externalID == name && $0.id != user.id }) {
      throw .duplicate(constraint: "users_external_id_key")
    }
  }
}
