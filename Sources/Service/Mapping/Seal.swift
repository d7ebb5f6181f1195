internal import OpenSSL

/// Marks what only this installation can have made: texts that clients hold and give back.
package struct Seal: Sendable {
  /// 128 bits: nobody guesses one.
  static let byteCount = 16

  private let code: HMACSHA256

  /// - Parameters:
  ///   - secret: the installation's; the same on every server of it.
  ///   - purpose: a mark of one purpose is none of another.
  package init(secret: [UInt8], purpose: String) {
    code = HMACSHA256(key: HMACSHA256(key: secret).code(of: Array(purpose.utf8)))
  }

  func mark(of bytes: [UInt8]) -> [UInt8] { Array(code.code(of: bytes).prefix(Self.byteCount)) }

  func isMark(_ mark: [UInt8], of bytes: [UInt8]) -> Bool {
    isEqualSecret(mark, self.mark(of: bytes))
  }
}
