import Contract
import Domain
import InMemoryStore
import RPC
import Service
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Users and tokens` {
  let fixture = ServiceFixture()

  private func createUser(
    _ request: CreateUserRequest, as user: Domain.User
  ) async throws -> Contract.User {
    let response: CreateUserResponse = try await fixture.call(
      UserServiceMethods.createUser, request, as: user)
    return response.user ?? Contract.User()
  }

  private func createToken(
    _ request: CreateTokenRequest = CreateTokenRequest(), as user: Domain.User,
    key: String? = nil, scopes: [String] = [], tokenID: String? = nil
  ) async throws -> CreateTokenResponse {
    try await fixture.call(
      UserServiceMethods.createToken, request, as: user, key: key, scopes: scopes,
      tokenID: tokenID)
  }

  @Test func `are made by admins and services, with sensible defaults`() async throws {
    let made = try await createUser(
      CreateUserRequest(externalId: "lms:1", displayName: "Ada"), as: fixture.user(.service))
    #expect(made.role == .learner)
    #expect(made.language == "es")
    #expect(made.timeZone == "UTC")
    #expect(made.active)
    let taken = await failure {
      try await createUser(
        CreateUserRequest(externalId: "lms:1", displayName: "Otra"), as: fixture.user(.admin))
    }
    #expect(taken.code == .alreadyExists)
    #expect(taken.message.contains("external_id"))
    let found: GetUserResponse = try await fixture.call(
      UserServiceMethods.getUser, GetUserRequest(name: .externalId("lms:1")),
      as: fixture.user(.admin))
    #expect(found.user == made)
  }

  @Test func `are in a time zone that there is`() async throws {
    let admin = fixture.user(.admin)
    let made = try await createUser(
      CreateUserRequest(displayName: "Ada", timeZone: "Europe/Madrid"), as: admin)
    #expect(made.timeZone == "Europe/Madrid")
    for zone in ["Mars/Base", "Europe/Madrd", "UTC+2", "europe/madrid", "../etc/passwd", "Europe"] {
      let error = await failure {
        try await createUser(CreateUserRequest(displayName: "Ada", timeZone: zone), as: admin)
      }
      #expect(error.code == .invalidArgument, "\(zone)")
      #expect(error.message.contains("time_zone"), "\(zone)")
    }
  }

  @Test func `of a zone that never was can still change their name`() async throws {
    var ada = fixture.user()
    ada.timeZone = "Mars/Base"
    fixture.store.seed(ada)
    func update(_ user: Contract.User, _ paths: [String]) async throws -> Contract.User? {
      let response: UpdateUserResponse = try await fixture.call(
        UserServiceMethods.updateUser,
        UpdateUserRequest(user: user, updateMask: FieldMask(paths: paths)), as: ada)
      return response.user
    }
    let renamed = try await update(Contract.User(displayName: "Ada L."), ["display_name"])
    #expect(renamed?.timeZone == "Mars/Base")
    let moved = await failure {
      try await update(Contract.User(timeZone: "Venus/Base"), ["time_zone"])
    }
    #expect(moved.code == .invalidArgument)
    let mended = try await update(Contract.User(timeZone: "America/Lima"), ["time_zone"])
    #expect(mended?.timeZone == "America/Lima")
  }

  @Test func `of more power are made by admins alone`() async throws {
    for role in [Contract.Role.service, .admin] {
      let error = await failure {
        try await createUser(
          CreateUserRequest(displayName: "x", role: role), as: fixture.user(.service))
      }
      #expect(error.code == .permissionDenied)
      let made = try await createUser(
        CreateUserRequest(displayName: "x", role: role), as: fixture.user(.admin))
      #expect(made.role == role)
    }
    let unknown = await failure {
      try await createUser(
        CreateUserRequest(displayName: "x", role: Contract.Role(rawValue: 42)),
        as: fixture.user(.admin))
    }
    #expect(unknown.code == .invalidArgument)
  }

  @Test func `change what is theirs, and not their role or name elsewhere`() async throws {
    let ada = fixture.user()
    func update(
      _ user: Contract.User, _ paths: [String], of id: String = "", as caller: Domain.User
    ) async throws -> Contract.User? {
      let response: UpdateUserResponse = try await fixture.call(
        UserServiceMethods.updateUser,
        UpdateUserRequest(userId: id, user: user, updateMask: FieldMask(paths: paths)), as: caller)
      return response.user
    }
    let renamed = try await update(
      Contract.User(displayName: "Ada L."), ["display_name", "time_zone"], as: ada)
    #expect(renamed?.displayName == "Ada L.")
    #expect(renamed?.version == 2)
    let role = await failure { try await update(Contract.User(role: .admin), ["role"], as: ada) }
    #expect(role.code == .permissionDenied)
    let name = await failure {
      try await update(Contract.User(externalId: "x"), ["external_id"], as: ada)
    }
    #expect(name.code == .permissionDenied)
    let (service, admin) = (fixture.user(.service), fixture.user(.admin))
    let high = await failure {
      try await update(
        Contract.User(displayName: "x"), ["display_name"], of: admin.id.description, as: service)
    }
    #expect(high.code == .permissionDenied)
    let raised = try await update(
      Contract.User(role: .instructor), ["role"], of: ada.id.description, as: admin)
    #expect(raised?.role == .instructor)
  }

  @Test func `shut out can do nothing any more`() async throws {
    let (ada, admin) = (fixture.user(), fixture.user(.admin))
    let token = try await createToken(as: ada)
    let authenticator = fixture.services.authenticator
    #expect(try await authenticator.authenticate(token: token.secret).userID == ada.id.description)
    for _ in 0..<2 {
      let response: DeactivateUserResponse = try await fixture.call(
        UserServiceMethods.deactivateUser, DeactivateUserRequest(userId: ada.id.description),
        as: admin)
      #expect(response.user?.active == false)
      #expect(response.user?.version == 2)
    }
    let error = await failure { try await authenticator.authenticate(token: token.secret) }
    #expect(error.code == .unauthenticated)
    let own = await failure {
      try await fixture.call(
        UserServiceMethods.deactivateUser, DeactivateUserRequest(userId: admin.id.description),
        as: admin, returning: DeactivateUserResponse.self)
    }
    #expect(own.code == .failedPrecondition)
  }

  @Test func `can revoke a token after a thousand newer ones, and end its streams`() async throws {
    let ada = fixture.user()
    let old = try await createToken(as: ada).token?.id ?? ""
    let now = fixture.time.now()
    for number in UInt64(0)..<1000 {
      let token = TokenRecord(
        id: EntityID(high: 7, low: number), userID: ada.id, role: .learner,
        hash: [UInt8](repeating: 0, count: 30) + [UInt8(number >> 8), UInt8(number & 255)],
        label: "", scopes: [], createdAt: now, expiresAt: now, revokedAt: now)
      fixture.store.seed(token)
    }
    try await fixture.relay()
    let watch = WatchProbe(fixture, WatchRequest(), as: ada, tokenID: old)
    #expect(try await watch.next()?.step == .mark(.caughtUp))
    let _: RevokeTokenResponse = try await fixture.call(
      UserServiceMethods.revokeToken, RevokeTokenRequest(tokenId: old), as: ada)
    await fixture.services.standing.check()
    #expect(await watch.end()?.code == .unauthenticated)
    #expect(try await watch.next() == nil)
  }

  @Test func `have tokens that work until they expire or are revoked`() async throws {
    let ada = fixture.user()
    let made = try await createToken(
      CreateTokenRequest(label: "portátil", lifetimeSeconds: 60, scopes: ["read"]), as: ada)
    #expect(made.secret.hasPrefix("hito_"))
    #expect(made.secret.utf8.count == 48)
    let authenticator = fixture.services.authenticator
    let principal = try await authenticator.authenticate(token: made.secret)
    #expect(principal.role == .learner)
    #expect(principal.tokenID == made.token?.id)
    #expect(principal.scopes == ["read"])
    fixture.time.advance(by: .seconds(60))
    let expired = await failure { try await authenticator.authenticate(token: made.secret) }
    #expect(expired.message == "the token has expired")
    let second = try await createToken(as: ada)
    let _: RevokeTokenResponse = try await fixture.call(
      UserServiceMethods.revokeToken, RevokeTokenRequest(tokenId: second.token?.id ?? ""), as: ada)
    let revoked = await failure { try await authenticator.authenticate(token: second.secret) }
    #expect(revoked.message == "the token was revoked")
    let list: ListTokensResponse = try await fixture.call(
      UserServiceMethods.listTokens, ListTokensRequest(), as: ada)
    #expect(list.tokens.map(\.label) == ["", "portátil"])
    #expect(list.tokens[0].revokedAt != nil)
  }

  @Test(arguments: [
    "", "hito_", "hito_AAAA", "Bearer x", "hito_" + String(repeating: "A", count: 43),
    "hito_" + String(repeating: "A", count: 100_000),
  ])
  func `are not known by tokens that nobody made`(token: String) async {
    let error = await failure {
      try await fixture.services.authenticator.authenticate(token: token)
    }
    #expect(error.code == .unauthenticated)
  }

  @Test func `cannot authenticate while the database is away, and hear that`() async throws {
    let token = try await createToken(as: fixture.user())
    fixture.store.fail(.read, .unavailable("secret address", maybeCommitted: false))
    let error = await failure {
      try await fixture.services.authenticator.authenticate(token: token.secret)
    }
    #expect(error.code == .unavailable)
    #expect(!error.message.contains("secret"))
  }

  @Test func `never get more out of a token than they or its maker have`() async throws {
    let (ada, admin) = (fixture.user(), fixture.user(.admin))
    for role in [Contract.Role.instructor, .service, .admin] {
      let own = await failure { try await createToken(CreateTokenRequest(role: role), as: ada) }
      #expect(own.code == .permissionDenied)
      let byAdmin = await failure {
        try await createToken(
          CreateTokenRequest(userId: ada.id.description, role: role), as: admin)
      }
      #expect(byAdmin.code == .permissionDenied)
    }
    // A token of an admin that gives only a learner's rights gives no more by making others.
    var lesser = admin
    lesser.role = .learner
    let error = await failure {
      try await createToken(CreateTokenRequest(role: .admin), as: lesser)
    }
    #expect(error.code == .permissionDenied)
    #expect(try await createToken(as: lesser).token?.role == .learner)
    // A user who was an admin is none any more, whatever the token says.
    let token = try await createToken(as: admin)
    var lowered = admin
    lowered.role = .instructor
    fixture.store.seed(lowered)
    let principal = try await fixture.services.authenticator.authenticate(token: token.secret)
    #expect(principal.role == .instructor)
  }

  @Test func `never get a longer life out of a short one`() async throws {
    let (ada, admin) = (fixture.user(), fixture.user(.admin))
    let parent = try await createToken(CreateTokenRequest(lifetimeSeconds: 60), as: admin)
    for (request, user) in [
      (CreateTokenRequest(lifetimeSeconds: 366 * 86_400), admin), (CreateTokenRequest(), admin),
      (CreateTokenRequest(userId: ada.id.description), ada),
    ] {
      let child = try await createToken(request, as: admin, tokenID: parent.token?.id)
      #expect(child.token?.userId == user.id.description)
      #expect(child.token?.expiresAt == parent.token?.expiresAt)
    }
    let shorter = try await createToken(
      CreateTokenRequest(lifetimeSeconds: 1), as: admin, tokenID: parent.token?.id)
    #expect(shorter.token?.expiresAt != parent.token?.expiresAt)
    fixture.time.advance(by: .seconds(60))
    let late = await failure { try await createToken(as: admin, tokenID: parent.token?.id) }
    #expect(late.code == .unauthenticated)
  }

  @Test func `lose with a token all that were made with it`() async throws {
    let ada = fixture.user()
    let parent = try await createToken(as: ada)
    let child = try await createToken(as: ada, tokenID: parent.token?.id)
    let grandchild = try await createToken(as: ada, tokenID: child.token?.id)
    let other = try await createToken(as: ada)
    let _: RevokeTokenResponse = try await fixture.call(
      UserServiceMethods.revokeToken, RevokeTokenRequest(tokenId: parent.token?.id ?? ""), as: ada)
    let authenticator = fixture.services.authenticator
    for token in [parent, child, grandchild] {
      let error = await failure { try await authenticator.authenticate(token: token.secret) }
      #expect(error.message == "the token was revoked")
    }
    #expect(try await authenticator.authenticate(token: other.secret).userID == ada.id.description)
    let late = await failure { try await createToken(as: ada, tokenID: child.token?.id) }
    #expect(late.code == .unauthenticated)
  }

  @Test func `never get wider scopes out of narrow ones`() async throws {
    let ada = fixture.user()
    func attempt(_ wanted: [String], with own: [String]) async -> RPCError {
      await failure {
        try await createToken(CreateTokenRequest(scopes: wanted), as: ada, scopes: own)
      }
    }
    #expect(await attempt([], with: ["UserService"]).code == .permissionDenied)
    #expect(await attempt(["read"], with: ["UserService"]).code == .permissionDenied)
    #expect(await attempt(["nonsense"], with: []).code == .invalidArgument)
    #expect(await attempt(["read"], with: ["read"]).code == .permissionDenied)
    let made = try await createToken(
      CreateTokenRequest(scopes: ["UserService/GetUser"]), as: ada, scopes: ["UserService"])
    #expect(made.token?.scopes == ["UserService/GetUser"])
  }

  @Test func `get one token under one key, whose secret is shown once`() async throws {
    let ada = fixture.user()
    let first = try await createToken(as: ada, key: "k")
    let error = await failure { try await createToken(as: ada, key: "k") }
    #expect(error.code == .alreadyExists)
    #expect(error.decodedDetails.reason == .keyConflict)
    #expect(error.message.contains(first.token?.id ?? "?"))
    #expect(fixture.store.replyCount == 0)
  }

  @Test func `have at most a hundred tokens, and revoke only their own`() async throws {
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    var last = ""
    for _ in 0..<100 { last = try await createToken(as: ada).token?.id ?? "" }
    let error = await failure { try await createToken(as: ada) }
    #expect(error.code == .resourceExhausted)
    #expect(error.decodedDetails.quota?.maximum == 100)
    let id = last
    let foreign = await failure {
      try await fixture.call(
        UserServiceMethods.revokeToken, RevokeTokenRequest(tokenId: id), as: bea,
        returning: RevokeTokenResponse.self)
    }
    #expect(foreign.code == .notFound)
  }
}
