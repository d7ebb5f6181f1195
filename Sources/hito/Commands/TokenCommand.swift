import ArgumentParser
import DescriptorJSON
import Domain
import JSON
import PostgresStore

/// `hito token`: bearer tokens, made directly in the database.
struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Make, list and revoke tokens, directly in the database.",
    discussion: HelpText.prose(
      """
      For whoever runs the server: whoever may reach its database may do this, without a token of
      their own. Over the network, UserService/CreateToken does the same for admins.
      """),
    subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self])
}

/// `hito token create`
struct TokenCreateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Make a token, and its user where there is none yet.",
    discussion: HelpText.prose(
      """
      The token is shown once; the database keeps only its hash.

        hito token create --role learner --user-name Ana --external-id ana@example.org
        hito token create --user-id 0197… --expires 7d --json

      With --external-id the user of that name is used where there is one. Without it and without
      --user-id a new user is made each time.
      """))

  @OptionGroup var database: DatabaseOptions

  @Option(help: "learner, instructor, service or admin. Default: the user's own, or learner.")
  var role: Role?

  @Option(help: "UUID of an existing user.")
  var userId: String?

  @Option(help: "Name of a new user.")
  var userName: String?

  @Option(help: "The user's name in another system; unique.")
  var externalId: String?

  @Option(help: "E-mail address of a new user.")
  var email: String?

  @Option(help: "Language of a new user: es or en.")
  var language = "es"

  @Option(help: "Time zone of a new user, for example Europe/Madrid.")
  var timeZone = "UTC"

  @Option(help: "How long the token works, for example 90d; at most 366d.")
  var expires = DurationArgument.ninetyDays

  @Option(help: "What to call the token, to know it again in a list.")
  var label = "hito token create"

  @Option(help: "Limit the token: read, a service (GoalService) or a method (repeatable).")
  var scope: [String] = []

  @Flag(help: "Print JSON: token, token_id, user_id, role, expires_at.")
  var json = false

  func validate() throws {
    if userId == nil, userName == nil, externalId == nil {
      throw ValidationError("for whom? give --user-name, --external-id or --user-id")
    }
    if userId != nil, userName != nil || externalId != nil {
      throw ValidationError("--user-id names a user that exists; leave the other names out")
    }
    if let userId, EntityID(userId) == nil {
      throw ValidationError("--user-id wants a UUID")
    }
    guard expires.duration <= .seconds(366 * 86_400) else {
      throw ValidationError("--expires must be at most 366d")
    }
  }

  func run() async throws {
    try await database.openWithSettings { settings, session in
      let timeZones = settings.timeZones.names
      try checkTimeZone(timeZones)
      let issuer = TokenIssuer(
        user: TokenIssuer.UserChoice(
          id: userId.flatMap { EntityID($0) }, name: userName, externalID: externalId, email: email,
          language: language, timeZone: timeZone),
        role: role, lifetime: expires.duration, label: label, scopes: scope, timeZones: timeZones)
      try await session.withDatabase { database in
        let issued = try await issuer.issue(database)
        do throws(Output.Failure) {
          try show(issued)
        } catch {
          // Nobody will ever have it: it would only lie about, working.
          try await TokenRevocation(program: "hito token create").revoke(issued.record.id, database)
          throw CommandFailure(
            "\(error): the token was revoked, as nobody has it (user \(issued.record.userID) stays)",
            exitStatus: ExitStatus.output)
        }
      }
    }
  }

  /// Looked at before anything is made, with what may have been meant.
  private func checkTimeZone(_ zones: TimeZoneNames) throws {
    guard let problem = zones.problem(with: timeZone) else { return }
    let near =
      problem.hasSuffix("?") ? [] : NearNames.suggestions(for: timeZone, among: zones.sorted)
    let hint = near.isEmpty ? "" : ": did you mean \(near.joined(separator: " or "))?"
    throw CommandFailure("--time-zone \(problem)\(hint)", exitStatus: ExitStatus.usage)
  }

  private func show(_ issued: TokenIssuer.Issued) throws(Output.Failure) {
    let record = issued.record
    guard json else {
      Output.note(
        "\(issued.isNewUser ? "new user" : "user") \(record.userID) (\(record.role.rawValue)), "
          + "works until \(record.expiresAt)")
      return try Output.deliver(issued.secret + "\n")
    }
    let node = JSONValue.object([
      ("token", .string(issued.secret)), ("token_id", .string("\(record.id)")),
      ("user_id", .string("\(record.userID)")), ("role", .string(record.role.rawValue)),
      ("expires_at", .string("\(record.expiresAt)")),
      ("new_user", .bool(issued.isNewUser)),
    ])
    try Output.deliver(node.shown() + "\n")
  }
}

/// `hito token list`
struct TokenListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List tokens, newest first, without their secrets.")

  @OptionGroup var database: DatabaseOptions

  @Option(help: "Only of this user (UUID).")
  var userId: String?

  @Flag(help: "Print one JSON object a line.")
  var json = false

  func validate() throws {
    if let userId, EntityID(userId) == nil { throw ValidationError("--user-id wants a UUID") }
  }

  func run() async throws {
    try await database.open { session in
      let user = userId.flatMap { EntityID($0) }
      let now = SystemTime().now()
      // Whoever may reach the database sees every token.
      let scope = AccessScope(callerID: UUIDv7Generator().next(at: now), role: .admin)
      let tokens = try await session.withDatabase { database in
        try await PostgresTokenStore(database).tokens(user: user, scope: scope)
      }
      show(tokens, at: now)
    }
  }

  private func show(_ tokens: [TokenRecord], at now: Timestamp) {
    var table = TextTable(["TOKEN ID", "USER ID", "ROLE", "STATE", "EXPIRES", "LABEL"])
    for token in tokens {
      let state =
        token.revokedAt != nil ? "revoked" : token.expiresAt > now ? "works" : "expired"
      let cells = [
        "\(token.id)", "\(token.userID)", token.role.rawValue, state, "\(token.expiresAt)",
        token.label,
      ]
      table.add(cells)
      guard json else { continue }
      let names = ["token_id", "user_id", "role", "state", "expires_at", "label"]
      var members = zip(names, cells).map { (key: $0, value: JSONValue.string($1)) }
      members.append(("scopes", .array(token.scopes.map(JSONValue.string))))
      Output.line(JSONValue.object(members).shown())
    }
    if !json { Output.text(table.text) }
  }
}

/// `hito token revoke`
struct TokenRevokeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke",
    abstract: "Make a token stop working.",
    discussion: "A running server takes at most its token cache time (10 s) to notice.")

  @OptionGroup var database: DatabaseOptions

  @Argument(help: "UUID of the token: `hito token list` shows it.")
  var tokenId: String

  func validate() throws {
    if tokenId.hasPrefix("hito_") {
      throw ValidationError("that is the secret; revoke wants the token's id (hito token list)")
    }
    if EntityID(tokenId) == nil { throw ValidationError("the token's id is a UUID") }
  }

  func run() async throws {
    try await database.open { session in
      guard let id = EntityID(tokenId) else { return }
      let wasThere = try await session.withDatabase { database in
        try await TokenRevocation(program: "hito token revoke").revoke(id, database)
      }
      guard wasThere else { throw CommandFailure("there is no token \(id)") }
      Output.note("revoked \(id)")
    }
  }
}

/// Takes a token back, as UserService does.
struct TokenRevocation: Sendable {
  /// Which command does it; the event says so.
  let program: String

  /// - Returns: false where there is no such token.
  @discardableResult
  func revoke(_ id: EntityID, _ database: PostgresDatabase) async throws -> Bool {
    let now = SystemTime().now()
    let ids = UUIDv7Generator()
    return try await PostgresTokenStore(database).revoke(id, at: now) { [program] token in
      token.event(
        .userTokenRevoked, id: ids.next(at: now), at: now,
        metadata: TokenIssuer.metadata(program: program))
    }
  }
}

extension DurationArgument {
  static var ninetyDays: DurationArgument { DurationArgument(.seconds(90 * 86_400)) }
}

extension Role: ExpressibleByArgument {}
