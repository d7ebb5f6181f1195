package import Domain

extension InMemoryStore: WriteStore {
  package func commit(_ write: Write) async throws(StoreError) -> CommitOutcome {
    let hook = state.withLock { state in
      state.commitHooks.isEmpty ? nil : state.commitHooks.removeFirst()
    }
    await hook?()
    let result: Result<CommitOutcome, StoreError> = state.withLock { state in
      if let fault = state.takeFault(.commit) { return .failure(fault) }
      let result = state.commit(write, at: clock.now())
      if let fault = state.takeFault(.commitAnswer) { return .failure(fault) }
      return result
    }
    return try result.get()
  }

  package func reply(to request: RequestKey) async throws(StoreError) -> StoredReply? {
    try access(.read) { $0.reply(to: request, at: clock.now()) }
  }
}

extension InMemoryStore.State {
  func reply(to request: RequestKey, at now: Timestamp) -> StoredReply? {
    let key = InMemoryStore.ReplyKey(
      callerID: request.callerID, method: request.method, key: request.key)
    guard let known = replies[key], now < known.time.advanced(by: .seconds(24 * 3600)) else {
      return nil
    }
    return known.reply.request.requestHash == request.requestHash
      ? .reply(known.reply.reply) : .otherRequest
  }

  mutating func commit(_ write: Write, at now: Timestamp) -> Result<CommitOutcome, StoreError> {
    if let request = write.reply?.request, let known = reply(to: request, at: now) {
      return .success(CommitOutcome(known))
    }
    // All or nothing: on a copy that is thrown away where a change does not hold.
    var next = self
    for change in write.changes {
      do throws(StoreError) {
        guard try next.apply(change, at: now) else { return .success(.stale) }
      } catch {
        return .failure(error)
      }
    }
    for event in write.events {
      do throws(SealingFailed) {
        guard try next.append(sealing: event) else { return .success(.stale) }
      } catch {
        return .failure(.unavailable(error.reason, maybeCommitted: false))
      }
    }
    if let reply = write.reply {
      let key = InMemoryStore.ReplyKey(
        callerID: reply.request.callerID, method: reply.request.method, key: reply.request.key)
      next.replies[key] = InMemoryStore.RememberedReply(reply: reply, time: now)
    }
    for case .saveQuota(let quota) in write.changes {
      next.quotas[quota.userID] = StoredQuota(quota: quota, updatedAt: now)
    }
    if let userID = write.chargedTo {
      next.charges.append((userID, now.dayNumber, write.storedByteCount))
    }
    self = next
    return .success(.committed)
  }

  /// An event of a token, which nothing of is personal.
  mutating func append(_ event: NewEvent) {
    do throws(SealingFailed) { _ = try append(sealing: event) } catch {}
  }

  /// - Returns: false where the entity has an event of this version.
  private mutating func append(sealing event: NewEvent) throws(SealingFailed) -> Bool {
    var stored = try StoredEvent(sealing: event)
    stored.seq = nextSeq
    guard eventKeys.insert(stored.key).inserted else { return false }
    waiting.append(stored)
    nextSeq += 1
    return true
  }

  /// - Returns: false where a guarded row has changed, or what a row refers to is not there.
  private mutating func apply(
    _ change: Change, at now: Timestamp
  ) throws(StoreError) -> Bool {
    switch change {
    case .insertUser(let user):
      try insert(user, user.id, into: \.users, "users_pkey")
      try checkExternalID(of: user)
    case .updateUser(let user):
      guard users[user.id]?.version == user.version - 1 else { return false }
      try checkExternalID(of: user)
      users[user.id] = user
    case .insertCourse(let course):
      guard users[course.userID] != nil else { return false }
      try insert(course, course.id, into: \.courses, "courses_pkey")
    case .updateCourse(let course):
      guard courses[course.id]?.version == course.version - 1 else { return false }
      courses[course.id] = course
    case .insertEnrolment(let enrolment):
      let isTaken = enrolments.values.contains {
        $0.courseID == enrolment.courseID && $0.userID == enrolment.userID
      }
      if isTaken { throw .duplicate(constraint: "enrolments_course_user_key") }
      guard users[enrolment.userID] != nil, courses[enrolment.courseID] != nil else {
        return false
      }
      try insert(enrolment, enrolment.id, into: \.enrolments, "enrolments_pkey")
    case .updateEnrolment(let enrolment):
      guard enrolments[enrolment.id]?.version == enrolment.version - 1 else { return false }
      enrolments[enrolment.id] = enrolment
    case .saveGoal(let aggregate):
      return try save(aggregate)
    case .insertSnapshot(let snapshot):
      guard users[snapshot.userID] != nil, snapshot.goalID.map({ goals[$0] != nil }) ?? true,
        snapshot.taskID.map({ tasks[$0] != nil }) ?? true,
        snapshot.referenceCourseID.map({ courses[$0] != nil }) ?? true
      else { return false }
      try insert(snapshot, snapshot.id, into: \.snapshots, "code_snapshots_pkey")
      for blob in snapshot.blobs { blobs[blob.reference] = blob.content }
    case .updateSnapshot(let snapshot):
      return update(snapshot)
    case .saveDocument(let document):
      guard try save(document) else { return false }
      if let blob = document.blob { blobs[blob.reference] = blob.content }
    case .savePassages(let update):
      save(update)
    case .insertRun(let run):
      guard users[run.learnerID] != nil, users[run.callerID] != nil else { return false }
      try insert(run, at: now)
    case .updateRun(let run, let version):
      return update(run, after: version, at: now)
    case .insertValidation(let run):
      guard snapshots[run.snapshotID] != nil else { return false }
      return try enqueue(run)
    case .updateValidation(let run, let version, let full):
      return update(run, after: version, full, at: now)
    case .insertSuite(let stored):
      let isTaken = suites.values.contains {
        $0.authorID == stored.authorID && $0.hash == stored.hash
      }
      if isTaken { throw .duplicate(constraint: "test_suites_author_hash_key") }
      try insert(stored, stored.id, into: \.suites, "test_suites_pkey")
    case .insertTaskTests(let tests):
      return try insert(tests)
    case .saveQuota(let quota):
      return users[quota.userID] != nil
    case .insertGroup, .updateGroup, .deleteGroup, .unpark:
      return try applyToGroups(change, at: now)
    case .insertExternals(let records):
      for record in records {
        guard externals.updateValue(record, forKey: record.key) == nil else {
          throw .duplicate(constraint: "external_events_pkey")
        }
      }
    case .saveSubjects(let changed):
      for subject in changed {
        guard (subjects[subject.key]?.version ?? 0) == subject.loadedVersion else {
          if subject.loadedVersion == 0 {
            throw .duplicate(constraint: "external_subjects_pkey")
          }
          return false
        }
        subjects[subject.key] = subject
      }
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
    for var upsert in update.upserts {
      let key = key(upsert.passage.chunkNumber)
      if upsert.embedding.map({ $0.model != activeModel.name }) ?? false { upsert.embedding = nil }
      // One whose text is stored already keeps its vector.
      if upsert.embedding == nil, let old = passages[key], old.contentHash == upsert.contentHash {
        upsert.embedding = old.embedding
      }
      passages[key] = upsert
      attempts[key] = nil
    }
  }

  private mutating func save(_ aggregate: GoalAggregate) throws(StoreError) -> Bool {
    var goal = aggregate.goal
    guard users[goal.userID] != nil, goal.courseID.map({ courses[$0] != nil }) ?? true else {
      return false
    }
    if let loaded = aggregate.loadedRevision {
      guard goals[goal.id]?.revision == loaded else { return false }
      goal.revision = loaded + 1
      goals[goal.id] = goal
    } else {
      try insert(goal, goal.id, into: \.goals, "goals_pkey")
    }
    for task in aggregate.changedTasks {
      guard task.goalID == goal.id, tasks[task.id].map({ $0.goalID == goal.id }) ?? true else {
        return false
      }
      tasks[task.id] = task
    }
    return true
  }

  mutating func insert<Row>(
    _ row: Row, _ id: EntityID, into table: WritableKeyPath<Self, [EntityID: Row]>, _ key: String
  ) throws(StoreError) {
    guard self[keyPath: table][id] == nil else { throw .duplicate(constraint: key) }
    self[keyPath: table][id] = row
  }

  private func checkExternalID(of user: User) throws(StoreError) {
    guard let name = user.externalID else { return }
    if users.values.contains(where: { $0.externalID == name && $0.id != user.id }) {
      throw .duplicate(constraint: "users_external_id_key")
    }
  }
}
