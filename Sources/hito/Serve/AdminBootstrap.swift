import Domain
import Foundation
import Logging
import Service

/// Makes the first admin and its token, so that a new server can be used at once.
///
/// The token is in `admin.token` in the data directory, readable by the server's user only. It is
/// made once: a file that was taken away is not made again while the admin has a token that works.
struct AdminBootstrap {
  /// Names the admin that a first start makes, among users of other systems.
  static let externalID = "hito:admin"
  private static let lifetime = Duration.seconds(366 * 24 * 3600)

  let users: any UserRepository
  let writes: any WriteStore
  let tokens: any TokenStore
  let clock: any TimeSource
  let ids: any IDGenerator

  func run(tokenFile: String, logger: Logger) async throws {
    let now = clock.now()
    let admin = try await admin(at: now)
    let isUsable = try await tokens.tokens(user: admin.id).contains { token in
      token.revokedAt == nil && token.expiresAt > now
    }
    if isUsable { return }
    let secret = TokenSecret()
    try await tokens.insert(
      TokenRecord(
        id: ids.next(at: now), userID: admin.id, role: .admin, hash: secret.hash,
        label: "first start", scopes: [], createdAt: now,
        expiresAt: now.advanced(by: AdminBootstrap.lifetime)))
    try write(secret.text, to: tokenFile)
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

  private func write(_ token: String, to file: String) throws {
    let temporary = "\(file).new"
    try? FileManager.default.removeItem(atPath: temporary)
    guard
      FileManager.default.createFile(
        atPath: temporary, contents: Data("\(token)\n".utf8),
        attributes: [.posixPermissions: 0o600])
    else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: temporary]) }
    guard rename(temporary, file) == 0 else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
  }
}
