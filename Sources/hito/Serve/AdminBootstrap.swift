import Domain
import Foundation
import Logging
import PostgresStore
import Service

/// Makes the first admin and its token, so that a new server can be used at once.
///
/// The token is in `admin.token` in the data directory, readable by the server's user only. It is
/// made once: a file that was taken away is not made again while the admin has a token that works.
/// Of several servers that start at once on one database, one makes both.
struct AdminBootstrap {
  /// Names the admin that a first start makes, among users of other systems.
  static let externalID = "hito:admin"
  private static let lifetime = Duration.seconds(366 * 24 * 3600)

  let lock: AdvisoryLock
  let users: any UserRepository
  let writes: any WriteStore
  let tokens: any TokenStore
  let clock: any TimeSource
  let ids: any IDGenerator

  func run(tokenFile: String, logger: Logger) async throws {
    try await lock.hold { try await makeWhatIsMissing(tokenFile: tokenFile, logger: logger) }
  }

  private func makeWhatIsMissing(tokenFile: String, logger: Logger) async throws {
    let now = clock.now()
    let admin = try await admin(at: now)
    let scope = AccessScope(callerID: admin.id, role: .admin)
    let isUsable = try await tokens.tokens(user: admin.id, scope: scope).contains { token in
      token.revokedAt == nil && token.expiresAt > now
    }
    if isUsable { return }
    let secret = TokenSecret()
    // The file first: a token that works but is written nowhere would never be made again.
    try write(secret.text, to: tokenFile)
    let token = TokenRecord(
      id: ids.next(at: now), userID: admin.id, role: .admin, hash: secret.hash,
      label: "first start", scopes: [], createdAt: now,
      expiresAt: now.advanced(by: AdminBootstrap.lifetime))
    try await tokens.insert(
      token,
      event: token.event(
        .userTokenIssued, id: ids.next(at: now), at: now,
        metadata: .object([("actor", .string("hito serve"))])))
    logger.notice("made a token for the first admin", metadata: ["file": "\(tokenFile)"])
  }

  private func admin(at now: Timestamp) async throws -> User {
    let id = ids.next(at: now)
    let scope = AccessScope(callerID: id, role: .admin)
    if let user = try await users.user(externalID: AdminBootstrap.externalID, scope: scope) {
      return user
    }
    let user = User(
      id: id, externalID: AdminBootstrap.externalID, displayName: "Admin", email: nil,
      role: .admin, language: "es", timeZone: "UTC", createdAt: now, updatedAt: now)
    let event = user.event(
      .userCreated, id: ids.next(at: now), at: now,
      metadata: .object([("actor", .string("hito serve"))]))
    let outcome = try await writes.commit(
      Write(changes: [.insertUser(user)], events: [event], reply: nil))
    guard outcome == .committed else { throw StoreError.corrupt("no admin: \(outcome)") }
    return user
  }

  /// Made with mode 0600 from the start: no other user may read it even for a moment.
  private func write(_ token: String, to file: String) throws {
    let temporary = "\(file).new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw Self.failure(temporary) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.write(contentsOf: Data("\(token)\n".utf8))
    try handle.synchronize()
    try handle.close()
    guard rename(temporary, file) == 0 else { throw Self.failure(file) }
  }

  private static func failure(_ file: String) -> ServeError {
    ServeError("cannot write the admin's token to \(file): \(String(cString: strerror(errno)))")
  }
}
