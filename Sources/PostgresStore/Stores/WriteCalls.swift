import Domain

/// Binds what a write holds to the statements of a commit.
enum WriteCalls {
  static func calls(for change: Change) -> [StatementCall] {
    switch change {
    case .insertUser(let user): [insert(user)]
    case .updateUser(let user): [update(user)]
    case .insertCourse(let course): [insert(course)]
    case .updateCourse(let course): [update(course)]
    case .insertEnrolment(let enrolment): [insert(enrolment)] + copies(for: enrolment)
    case .updateEnrolment(let enrolment): [update(enrolment)] + copies(for: enrolment)
    case .saveGoal(let aggregate): save(aggregate)
    case .insertSnapshot(let snapshot): [insert(snapshot)]
    case .updateSnapshot(let snapshot): [update(snapshot)]
    case .savePassages(let update): calls(for: update)
    case .insertRun(let run): [insert(run)]
    case .updateRun(let run, let version): [update(run, after: version)]
    case .saveDocument(let document): calls(for: document)
    }
  }

  private static func bind(_ user: User, _ parameters: inout ParameterBuffer) {
    parameters.append(user.id)
    parameters.append(user.externalID)
    parameters.append(user.displayName)
    parameters.append(user.email)
    parameters.append(user.role.rawValue)
    parameters.append(user.language)
    parameters.append(user.timeZone)
    parameters.append(user.isActive)
    parameters.append(user.version)
  }

  private static func insert(_ user: User) -> StatementCall {
    WriteStatements.insertUser { parameters in
      bind(user, &parameters)
      parameters.append(user.createdAt)
      parameters.append(user.updatedAt)
    }
  }

  private static func update(_ user: User) -> StatementCall {
    WriteStatements.updateUser { parameters in
      bind(user, &parameters)
      parameters.append(user.updatedAt)
    }
  }

  private static func insert(_ course: Course) -> StatementCall {
    WriteStatements.insertCourse { parameters in
      parameters.append(course.id)
      parameters.append(course.userID)
      parameters.append(course.title)
      parameters.append(course.description)
      parameters.append(course.language)
      parameters.append(json: course.metadata)
      parameters.append(course.status.rawValue)
      parameters.append(course.version)
      parameters.append(course.createdAt)
      parameters.append(course.updatedAt)
    }
  }

  private static func update(_ course: Course) -> StatementCall {
    WriteStatements.updateCourse { parameters in
      parameters.append(course.id)
      parameters.append(course.title)
      parameters.append(course.description)
      parameters.append(course.language)
      parameters.append(json: course.metadata)
      parameters.append(course.status.rawValue)
      parameters.append(course.version)
      parameters.append(course.updatedAt)
    }
  }

  private static func insert(_ enrolment: Enrolment) -> StatementCall {
    WriteStatements.insertEnrolment { parameters in
      parameters.append(enrolment.id)
      parameters.append(enrolment.courseID)
      parameters.append(enrolment.userID)
      parameters.append(enrolment.isActive)
      parameters.append(enrolment.version)
      parameters.append(enrolment.createdAt)
      parameters.append(enrolment.updatedAt)
    }
  }

  private static func update(_ enrolment: Enrolment) -> StatementCall {
    WriteStatements.updateEnrolment { parameters in
      parameters.append(enrolment.id)
      parameters.append(enrolment.isActive)
      parameters.append(enrolment.version)
      parameters.append(enrolment.updatedAt)
    }
  }

  /// The goal's row first: its lock is what orders the writes of an aggregate.
  private static func save(_ aggregate: GoalAggregate) -> [StatementCall] {
    let goal = aggregate.goal
    let tasks = aggregate.changedTasks
    var calls: [StatementCall] = []
    if let revision = aggregate.loadedRevision {
      calls.append(
        WriteStatements.updateGoal { parameters in
          parameters.append(goal.id)
          bindContent(of: goal, &parameters)
          parameters.append(goal.updatedAt)
          parameters.append(revision)
        })
    } else {
      calls.append(
        WriteStatements.insertGoal { parameters in
          parameters.append(goal.id)
          parameters.append(goal.userID)
          bindContent(of: goal, &parameters)
          parameters.append(goal.createdAt)
          parameters.append(goal.updatedAt)
        })
    }
    if !tasks.isEmpty { calls.append(save(tasks, of: goal)) }
    return calls
  }

  private static func bindContent(of goal: Goal, _ parameters: inout ParameterBuffer) {
    parameters.append(goal.courseID)
    parameters.append(goal.title)
    parameters.append(goal.description)
    parameters.append(goal.status.rawValue)
    parameters.append(goal.progressPercentage)
    parameters.append(goal.validationCriteria)
    parameters.append(goal.aiFeedback)
    parameters.append(goal.targetDate)
    parameters.append(goal.startedAt)
    parameters.append(goal.completedAt)
    parameters.append(goal.version)
  }

  private static func save(_ tasks: [LearningTask], of goal: Goal) -> StatementCall {
    WriteStatements.saveTasks { parameters in
      parameters.append(goal.id)
      parameters.append(goal.userID)
      parameters.append(tasks.map(\.id))
      parameters.append(tasks.map(\.title))
      parameters.append(tasks.map(\.description))
      parameters.append(tasks.map(\.status.rawValue))
      parameters.append(tasks.map(\.ordinal))
      parameters.append(tasks.map { arrayLiteral($0.validationCriteria) })
      parameters.append(tasks.map(\.startedAt))
      parameters.append(tasks.map(\.completedAt))
      parameters.append(tasks.map(\.version))
      parameters.append(tasks.map(\.createdAt))
      parameters.append(tasks.map(\.updatedAt))
    }
  }

  static func insert(_ events: [NewEvent]) -> StatementCall {
    WriteStatements.insertEvents { parameters in
      parameters.append(events.map(\.id))
      parameters.append(events.map(\.type.rawValue))
      parameters.append(events.map(\.entityType.rawValue))
      parameters.append(events.map(\.entityID))
      parameters.append(events.map(\.version))
      parameters.append(events.map(\.userID))
      parameters.append(jsons: events.map(\.payload))
      parameters.append(jsons: events.map(\.metadata))
      parameters.append(events.map(\.createdAt))
      parameters.append(StoredEvent.currentSchemaVersion)
    }
  }

  private static func bind(_ request: RequestKey, _ parameters: inout ParameterBuffer) {
    parameters.append(request.callerID)
    parameters.append(request.method)
    parameters.append(request.key)
  }

  static func insert(_ reply: KeyedReply) -> StatementCall {
    WriteStatements.insertReply { parameters in
      bind(reply.request, &parameters)
      parameters.append(bytes: reply.request.requestHash)
      parameters.append(bytes: reply.reply)
    }
  }

  static func deleteExpired(_ request: RequestKey) -> StatementCall {
    WriteStatements.deleteExpiredReply { parameters in bind(request, &parameters) }
  }
}
