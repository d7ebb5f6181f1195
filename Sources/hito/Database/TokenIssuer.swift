import Domain
import JSON
import PostgresStore
import Service

/// Makes a token and, where needed, its user: the same rows and the same event as UserService.
struct TokenIssuer: Sendable {
  struct UserChoice: Sendable {
    var id: EntityID?
    var name: String?
    var externalID: String?
    var email: String?
    var language: String
    var timeZone: String
  }

  struct Issued: Sendable {
    let secret: String
    let record: TokenRecord
    let isNewUser: Bool
  }

  let user: UserChoice
  /// Nil: the user's own.
  let role: Role?
  let lifetime: Duration
  let label: String
  let scopes: [String]
  /// What a new user's time zone is looked up in.
  let timeZones: TimeZoneNames

  private static let ids = UUIDv7Generator()

  func issue(_ database: PostgresDatabase) async throws -> Issued {
    let now = SystemTime().now()
    var validation = Validation()
    validation.text("label", label, maximum: 100, singleLine: true)
    do {
      try validation.check()
      // Whoever may reach the database may grant everything, but not what does not exist.
      try TokenScopes.check(scopes, grantedBy: [])
      let (user, isNew) = try await findOrMakeUser(database, at: now)
      let secret = TokenSecret()
      let record = TokenRecord(
        id: Self.ids.next(at: now), userID: user.id, role: try tokenRole(for: user),
        hash: secret.hash, label: label, scopes: scopes, createdAt: now,
        expiresAt: now.advanced(by: lifetime))
      try await PostgresTokenStore(database).insert(
        record,
        event: record.event(
          .userTokenIssued, id: Self.ids.next(at: now), at: now,
          metadata: Self.metadata(program: "hito token create")))
      return Issued(secret: secret.text, record: record, isNewUser: isNew)
    } catch DomainError.invalid(let violations) {
      let list = violations.map { "  \($0.field): \($0.description)" }
      throw CommandFailure("not valid:\n" + list.joined(separator: "\n"))
    }
  }

  private func findOrMakeUser(
    _ database: PostgresDatabase, at now: Timestamp
  ) async throws -> (User, isNew: Bool) {
    let users = PostgresUserRepository(database)
    let id = Self.ids.next(at: now)
    let scope = AccessScope(callerID: id, role: .admin)
    if let given = user.id {
      guard let found = try await users.user(given, scope: scope) else {
        throw CommandFailure("there is no user \(given)")
      }
      return (try active(found), false)
    }
    if let externalID = user.externalID,
      let found = try await users.user(externalID: externalID, scope: scope)
    {
      return (try active(found), false)
    }
    guard let name = user.name else {
      throw CommandFailure(
        "there is no user with this external id; give --user-name as well, to make one")
    }
    let new = User(
      id: id, externalID: user.externalID, displayName: name, email: user.email,
      role: role ?? .learner, language: user.language, timeZone: user.timeZone, createdAt: now,
      updatedAt: now)
    try new.validate(timeZones: timeZones)
    let event = new.event(
      .userCreated, id: Self.ids.next(at: now), at: now,
      metadata: Self.metadata(program: "hito token create"))
    guard try await insert(new, event, database) else {
      throw CommandFailure("another process made this user at the same time; try again")
    }
    return (new, true)
  }

  /// Of an event that a command makes.
  static func metadata(program: String) -> JSONValue {
    .object([("actor", .object([("program", .string(program))]))])
  }

  /// False where another process made a user with this external id meanwhile.
  private func insert(
    _ user: User, _ event: NewEvent, _ database: PostgresDatabase
  ) async throws(StoreError) -> Bool {
    do throws(StoreError) {
      return try await PostgresWriteStore(database).commit(
        Write(changes: [.insertUser(user)], events: [event], reply: nil)) == .committed
    } catch .duplicate {
      return false
    }
  }

  private func active(_ user: User) throws -> User {
    guard user.isActive else { throw CommandFailure("user \(user.id) was deactivated") }
    return user
  }

  private func tokenRole(for user: User) throws -> Role {
    guard let role else { return user.role }
    let order = Role.allCases
    guard let wanted = order.firstIndex(of: role), let own = order.firstIndex(of: user.role),
      wanted <= own
    else {
      throw CommandFailure(
        "user \(user.id) is \(user.role.rawValue): a token cannot give more. Change the user's "
          + "role first: hito call UserService/UpdateUser '{\"userId\": \"\(user.id)\", \"user\": "
          + "{\"role\": \"ROLE_\(role.rawValue.uppercased())\"}, \"updateMask\": \"role\"}'")
    }
    return role
  }
}
