internal import Contract
internal import Domain
internal import RPC
internal import Writes

struct UserService: UserServiceHandler {
  private static let fields = [
    "external_id", "display_name", "email", "role", "language", "time_zone",
  ]

  let users: any UserRepository
  let tokens: any TokenStore
  let writes: WriteExecutor
  let waiter: CursorWaiter
  let cursors: CursorCodec
  let clock: any TimeSource
  let ids: any IDGenerator
  let timeZones: TimeZoneNames

  func createUser(
    _ request: CreateUserRequest, _ context: CallContext
  ) async throws -> CreateUserResponse {
    let caller = try context.caller
    let role = try Domain.Role.optional(request.role, field: "role") ?? .learner
    guard caller.role == .admin || role < .service else {
      throw DomainError.forbidden("only an admin may make services and admins")
    }
    return try await named {
      try await writes.perform(context, caller) { change in
        let user = Domain.User(
          id: change.nextID(), externalID: request.externalId.nilIfEmpty,
          displayName: request.displayName, email: request.email.nilIfEmpty, role: role,
          language: request.language.nilIfEmpty ?? "es",
          timeZone: request.timeZone.nilIfEmpty ?? "UTC", createdAt: change.now,
          updatedAt: change.now)
        try user.validate(timeZones: timeZones)
        return Decision(
          changes: [.insertUser(user)], events: [user.event(.userCreated, change)],
          response: CreateUserResponse(user: Contract.User(user)))
      }
    }
  }

  func getUser(_ request: GetUserRequest, _ context: CallContext) async throws -> GetUserResponse {
    let caller = try context.caller
    try await waiter.checkRowRead(request.minCursor)
    let scope = AccessScope(caller)
    switch request.name {
    case .userId(let text):
      let id = try EntityID(parsing: text, field: "user_id")
      return GetUserResponse(user: Contract.User(try await user(id, scope)))
    case .externalId(let name):
      guard !name.isEmpty, name.utf8.count <= UserLimits.externalID * 4 else {
        throw DomainError.invalid(
          "external_id", "must be 1 to \(UserLimits.externalID) characters")
      }
      guard let user = try await users.user(externalID: name, scope: scope)
      else { throw RPCError(.notFound, "no such user") }
      return GetUserResponse(user: Contract.User(user))
    case nil:
      return GetUserResponse(user: Contract.User(try await user(caller.userID, scope)))
    }
  }

  func listUsers(
    _ request: ListUsersRequest, _ context: CallContext
  ) async throws -> ListUsersResponse {
    let caller = try context.caller
    let paging = try Paging(request, context, caller, cursors)
    try await waiter.checkRowRead(request.minCursor)
    let page = try await users.users(
      role: try Domain.Role.optional(request.role, field: "role"),
      includeInactive: request.includeInactive, page: paging.request,
      scope: AccessScope(caller))
    return ListUsersResponse(
      users: page.items.map(Contract.User.init), page: paging.info(page.next))
  }

  func updateUser(
    _ request: UpdateUserRequest, _ context: CallContext
  ) async throws -> UpdateUserResponse {
    let caller = try context.caller
    let id = try caller.owner(named: EntityID.optional(request.userId, field: "user_id"))
    let fields = try FieldPaths(request.updateMask, allowed: Self.fields)
    let expected = try expectedVersion(request.expectedVersion)
    let new = request.user ?? Contract.User()
    let role = try newRole(fields, new, caller)
    if fields.contains("external_id"), !caller.role.seesEverybody {
      throw DomainError.forbidden("only an admin or a service may change external_id")
    }
    return try await named {
      try await writes.perform(context, caller) { change in
        let old = try await user(id, AccessScope(caller))
        try checkMayChange(old, caller)
        try old.check(expected)
        var user = old
        user.apply(new, fields, role: role)
        guard user != old else {
          return .unchanged(UpdateUserResponse(user: Contract.User(old)))
        }
        try user.validate(timeZones: user.timeZone == old.timeZone ? nil : timeZones)
        user.touch(change.now)
        return Decision(
          changes: [.updateUser(user)], events: [user.event(.userUpdated, change)],
          response: UpdateUserResponse(user: Contract.User(user)))
      }
    }
  }

  func deactivateUser(
    _ request: DeactivateUserRequest, _ context: CallContext
  ) async throws -> DeactivateUserResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.userId, field: "user_id")
    let expected = try expectedVersion(request.expectedVersion)
    guard id != caller.userID else {
      throw RPCError.precondition("admins cannot shut themselves out", .user, id)
    }
    return try await writes.perform(context, caller) { change in
      var user = try await user(id, AccessScope(caller))
      try user.check(expected)
      guard user.isActive else {
        return .unchanged(DeactivateUserResponse(user: Contract.User(user)))
      }
      user.isActive = false
      user.touch(change.now)
      return Decision(
        changes: [.updateUser(user)], events: [user.event(.userDeactivated, change)],
        response: DeactivateUserResponse(user: Contract.User(user)))
    }
  }

  private func user(_ id: EntityID, _ scope: AccessScope) async throws -> Domain.User {
    guard let user = try await users.user(id, scope: scope) else {
      throw DomainError.notFound(.user, id)
    }
    return user
  }

  private func newRole(
    _ fields: FieldPaths, _ new: Contract.User, _ caller: Caller
  ) throws -> Domain.Role? {
    guard fields.contains("role") else { return nil }
    guard caller.role == .admin else {
      throw DomainError.forbidden("only an admin may change role")
    }
    guard let role = try Domain.Role.optional(new.role, field: "user.role") else {
      throw DomainError.invalid("user.role", "must be named")
    }
    return role
  }

  /// A service acts for learners and instructors, not for those who may more than it.
  private func checkMayChange(_ user: Domain.User, _ caller: Caller) throws(DomainError) {
    guard caller.role == .service, user.id != caller.userID, user.role.seesEverybody else { return }
    throw .forbidden("only an admin may change services and admins")
  }

  /// Says which field is taken.
  private func named<Output>(_ body: () async throws -> Output) async throws -> Output {
    do {
      return try await body()
    } catch StoreError.duplicate {
      throw DomainError.alreadyExists(.user, field: "external_id")
    }
  }
}

extension Domain.User {
  fileprivate mutating func apply(_ new: Contract.User, _ fields: FieldPaths, role: Domain.Role?) {
    if fields.contains("external_id") { externalID = new.externalId.nilIfEmpty }
    if fields.contains("display_name") { displayName = new.displayName }
    if fields.contains("email") { email = new.email.nilIfEmpty }
    // Cleared means what it means in a new user.
    if fields.contains("language") { language = new.language.nilIfEmpty ?? "es" }
    if fields.contains("time_zone") { timeZone = new.timeZone.nilIfEmpty ?? "UTC" }
    if let role { self.role = role }
  }

  fileprivate func check(_ expected: Int64?) throws(DomainError) {
    guard let expected, expected != version else { return }
    throw .stale(.user, id, expected: expected, actual: version)
  }

  fileprivate mutating func touch(_ now: Domain.Timestamp) {
    version += 1
    updatedAt = max(now, updatedAt)
  }

  fileprivate func event(_ type: EventType, _ change: ChangeContext) -> NewEvent {
    event(type, id: change.nextID(), at: change.now, metadata: change.metadata)
  }
}

extension String {
  var nilIfEmpty: String? { isEmpty ? nil : self }
}
