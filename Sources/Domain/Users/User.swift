package import JSON

/// A person or a service that Hito knows.
package struct User: Sendable, Hashable {
  package var id: EntityID
  /// The name that another system knows this user by; unique where it is given.
  package var externalID: String?
  package var displayName: String
  package var email: String?
  package var role: Role
  /// `es` or `en`: the language that generated text is written in.
  package var language: String
  /// IANA name, for example `Europe/Madrid`: days and streaks are counted in it.
  package var timeZone: String
  package var isActive: Bool
  package var version: Int64
  package var createdAt: Timestamp
  package var updatedAt: Timestamp

  package init(
    id: EntityID, externalID: String?, displayName: String, email: String?, role: Role,
    language: String, timeZone: String, isActive: Bool = true, version: Int64 = 1,
    createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.externalID = externalID
    self.displayName = displayName
    self.email = email
    self.role = role
    self.language = language
    self.timeZone = timeZone
    self.isActive = isActive
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// The state that an event's payload carries, under the column names.
  package var payload: JSONValue {
    .object([
      ("id", .string(id.description)),
      ("external_id", externalID.map(JSONValue.string) ?? .null),
      ("display_name", .string(displayName)),
      ("email", email.map(JSONValue.string) ?? .null),
      ("role", .string(role.rawValue)),
      ("language", .string(language)),
      ("time_zone", .string(timeZone)),
      ("is_active", .bool(isActive)),
      ("created_at", .string(createdAt.description)),
      ("updated_at", .string(updatedAt.description)),
    ])
  }

  /// - Parameter timeZones: what `timeZone` is looked up in; nil leaves it as it is: a user who was stored
  ///   before zones were looked up can still change a name.
  package func validate(timeZones: TimeZoneNames?) throws(DomainError) {
    var validation = Validation()
    validation.text(
      "display_name", displayName, minimum: 1, maximum: UserLimits.displayName, singleLine: true)
    if let externalID {
      validation.text(
        "external_id", externalID, minimum: 1, maximum: UserLimits.externalID, singleLine: true)
    }
    if let email {
      validation.text("email", email, minimum: 3, maximum: UserLimits.email, singleLine: true)
      if !email.contains("@") { validation.add("email", "is no e-mail address") }
    }
    if !UserLimits.languages.contains(language) {
      validation.add("language", "must be one of: \(UserLimits.languages.joined(separator: ", "))")
    }
    if let timeZones, let problem = timeZones.problem(with: timeZone) {
      validation.add("time_zone", problem)
    }
    try validation.check()
  }

  /// An event of this user's new state.
  package func event(
    _ type: EventType, id eventID: EntityID, at now: Timestamp, metadata: JSONValue
  ) -> NewEvent {
    NewEvent(
      id: eventID, type: type, entityType: .user, entityID: id, version: version, userID: id,
      payload: payload, metadata: metadata, createdAt: now)
  }
}

/// The maxima of a user's fields, in characters.
package enum UserLimits {
  package static let displayName = 200
  package static let externalID = 200
  package static let email = 320
  package static let timeZone = 64
  package static let languages = ["es", "en"]
}

/// What a user may do, in order: each may do what those before it may. The raw value is what the
/// `users.role` and `tokens.role` columns hold.
package enum Role: String, Sendable, Hashable, CaseIterable, Comparable {
  /// Sees and changes what is their own.
  case learner
  /// Also creates courses, and sees the progress of the learners enrolled in them.
  case instructor
  /// A program acting for learners: everything that their own programs could do.
  case service
  /// Everything.
  case admin

  package var seesEverybody: Bool { self == .service || self == .admin }

  private var rank: Int {
    switch self {
    case .learner: 0
    case .instructor: 1
    case .service: 2
    case .admin: 3
    }
  }

  package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
}

/// Who makes a call, once authenticated.
package struct Caller: Sendable, Hashable {
  package var userID: EntityID
  package var role: Role
  package var tokenID: EntityID?

  package init(userID: EntityID, role: Role, tokenID: EntityID? = nil) {
    self.userID = userID
    self.role = role
    self.tokenID = tokenID
  }

  /// The owner that a request names, or the caller where it names none. Naming another user is
  /// refused to those who may only act for themselves.
  package func owner(named userID: EntityID?) throws(DomainError) -> EntityID {
    guard let userID, userID != self.userID else { return self.userID }
    guard role.seesEverybody else {
      throw .forbidden("only an admin or a service may act for another user")
    }
    return userID
  }
}
