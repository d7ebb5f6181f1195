import Contract
import Domain
import RPC
import Service
import Testing

/// Calls that last end when their caller may no longer make them.
@Suite(.timeLimit(.minutes(1))) struct `A call that lasts` {
  let fixture = ServiceFixture()

  /// A watch under a token of its own, which has caught up.
  private func watch(as user: Domain.User) async throws -> (probe: WatchProbe, tokenID: String) {
    let token: CreateTokenResponse = try await fixture.call(
      UserServiceMethods.createToken, CreateTokenRequest(), as: user)
    let id = try #require(token.token?.id)
    try await fixture.relay()
    return (try await watch(as: user, tokenID: id), id)
  }

  /// A watch under a token, which has caught up.
  private func watch(as user: Domain.User, tokenID: String) async throws -> WatchProbe {
    let probe = WatchProbe(fixture, WatchRequest(), as: user, tokenID: tokenID)
    #expect(try await probe.next()?.step == .mark(.caughtUp))
    return probe
  }

  private func setRole(of user: Domain.User, to role: Contract.Role) async throws {
    let _: UpdateUserResponse = try await fixture.call(
      UserServiceMethods.updateUser,
      UpdateUserRequest(
        userId: user.id.description, user: Contract.User(role: role),
        updateMask: FieldMask(paths: ["role"])), as: fixture.user(.admin))
  }

  @Test func `ends, idle as it is, when its token is revoked, and says where to resume`()
    async throws
  {
    let ada = fixture.user()
    _ = try await fixture.createGoal(as: ada)
    let (same, _) = try await watch(as: ada)
    let (revoked, tokenID) = try await watch(as: ada)
    let _: RevokeTokenResponse = try await fixture.call(
      UserServiceMethods.revokeToken, RevokeTokenRequest(tokenId: tokenID), as: ada)
    await fixture.services.standing.check()
    let error = try #require(await revoked.end())
    #expect(error.code == .unauthenticated)
    // After the goal and the two tokens.
    #expect(error.resumeCursor == ServiceFixture.cursors.cursor(3))
    // The same learner's other token still works.
    _ = try await fixture.createGoal("otra", as: ada)
    try await fixture.relay()
    #expect(try await same.events(1).map(\.type) == ["goal.created"])
    same.cancel()
    #expect(await same.end()?.code == .cancelled)
  }

  @Test func `ends when its caller is less than before, and not when they are more`() async throws {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    try await fixture.relay()
    let (demoted, promoted) = (try await watch(as: teacher).probe, try await watch(as: ada).probe)
    try await setRole(of: teacher, to: .learner)
    try await setRole(of: ada, to: .instructor)
    await fixture.services.standing.check()
    #expect(await demoted.end()?.code == .unauthenticated)
    promoted.cancel()
    #expect(await promoted.end()?.code == .cancelled)
  }

  @Test func `ends when its token expires`() async throws {
    let ada = fixture.user()
    try await fixture.relay()
    let (probe, _) = try await watch(as: ada)
    await fixture.services.standing.check()
    fixture.time.advance(by: .seconds(400 * 86_400))
    await fixture.services.standing.check()
    #expect(await probe.end()?.code == .unauthenticated)
  }

  @Test func `is served while the database cannot say`() async throws {
    let ada = fixture.user()
    try await fixture.relay()
    let (probe, _) = try await watch(as: ada)
    fixture.store.fail(.read, .unavailable("gone", maybeCommitted: false))
    await fixture.services.standing.check()
    _ = try await fixture.createGoal(as: ada)
    try await fixture.relay()
    #expect(try await probe.events(1).count == 1)
    probe.cancel()
  }

  @Test func `that shows a run ends too`() async throws {
    let (fixture, ada) = (
      ServiceFixture(
        model: ScriptedModel([.hang(["{"])]), retriever: FakeRetriever(AgentScript.context)),
      self.fixture.user()
    )
    fixture.store.seed(ada)
    let token: CreateTokenResponse = try await fixture.call(
      UserServiceMethods.createToken, CreateTokenRequest(), as: ada)
    let run = fixture.generate(as: ada, tokenID: token.token?.id)
    while let message = try await run.next(), message.word != "token" {}
    let _: DeactivateUserResponse = try await fixture.call(
      UserServiceMethods.deactivateUser, DeactivateUserRequest(userId: ada.id.description),
      as: fixture.user(.admin))
    await fixture.services.standing.check()
    while try await run.next() != nil {}
    #expect(await run.end()?.code == .unauthenticated)
  }
}
