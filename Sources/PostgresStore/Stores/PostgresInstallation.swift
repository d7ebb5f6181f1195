internal import Domain

/// What the servers of one installation share.
package enum PostgresInstallation {
  /// 32 random bytes that were made with the database, and go where it goes; on a connection of its
  /// own.
  package static func secret(_ settings: ConnectionSettings) async throws -> [UInt8] {
    let session = try await ScriptSession(settings)
    let rows = try await session.run("SELECT encode(secret, 'hex') FROM installation")
    guard let text = rows.first?.first ?? nil, let secret = bytes(hexadecimal: text) else {
      throw StoreError.corrupt("the installation has no secret")
    }
    return secret
  }

  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
    guard digits.count == 64 else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
