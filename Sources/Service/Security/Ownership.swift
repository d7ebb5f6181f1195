internal import Domain
internal import RPC

// Rules on what a call is about, beside those on methods: whose it is and who may touch it.

extension UserRepository {
  /// The owner of something new: the caller, or whom a service or an admin names.
  func owner(named userID: EntityID?, _ caller: Caller) async throws -> EntityID {
    let ownerID = try caller.owner(named: userID)
    if ownerID != caller.userID { try await checkIsActive(ownerID, caller) }
    return ownerID
  }

  /// Nothing can be given to a user that does not exist or was shut out.
  func checkIsActive(_ userID: EntityID, _ caller: Caller) async throws {
    _ = try await activeUser(userID, caller)
  }

  /// A user that exists and was not shut out.
  func activeUser(_ userID: EntityID, _ caller: Caller) async throws -> User {
    guard let user = try await user(userID, scope: .system(caller)) else {
      throw DomainError.notFound(.user, userID)
    }
    guard user.isActive else {
      throw RPCError.precondition("the user was deactivated", .user, userID)
    }
    return user
  }

  /// The language that is named, or that of the learner.
  func language(_ named: String, of learnerID: EntityID, _ caller: Caller) async throws -> String {
    if !named.isEmpty { return named }
    guard let user = try await user(learnerID, scope: .system(caller)) else {
      throw DomainError.notFound(.user, learnerID)
    }
    return user.language
  }
}

extension GoalRepository {
  func goal(_ id: EntityID, _ caller: Caller, forUpdate: Bool) async throws -> GoalAggregate {
    let scope = AccessScope(caller)
    if let goal = try await goal(id, scope: scope, forUpdate: forUpdate) { return goal }
    // Seen but not the caller's to change: say so instead of denying what they can read.
    if forUpdate, try await goal(id, scope: scope, forUpdate: false) != nil {
      throw DomainError.forbidden("only its learner may change a goal")
    }
    throw DomainError.notFound(.goal, id)
  }
}

extension Caller {
  /// Whose items a list holds; nil leaves it to the repository. Instructors may name learners: what
  /// they see of them is the repository's to say.
  func listed(_ userID: String) throws(DomainError) -> EntityID? {
    guard let id = try EntityID.optional(userID, field: "user_id") else { return nil }
    if role == .learner { return try owner(named: id) }
    return id
  }
}

extension Caller {
  /// Whether they act as the instructor of a course of theirs. A role is that of the call: a learner's
  /// token of an instructor runs no course, and who is an instructor no more runs theirs no longer.
  func runs(_ course: Course) -> Bool { role != .learner && course.userID == userID }
}

extension AccessScope {
  /// For checks that the server makes on its own account, never for what a caller is shown.
  static func system(_ caller: Caller) -> AccessScope {
    AccessScope(callerID: caller.userID, role: .service)
  }
}
