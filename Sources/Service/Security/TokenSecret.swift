internal import Domain
internal import OpenSSL

/// A bearer token as its owner holds it: `hito_` and 32 random bytes in base64url.
package struct TokenSecret: Sendable {
  package static let prefix = "hito_"
  package static let byteCount = 32

  /// The text that goes over the wire; shown once.
  package let text: String

  /// A new one, from the system's random source.
  package init() {
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<TokenSecret.byteCount).map { _ in UInt8.random(in: 0...255, using: &generator)
    }
    text = TokenSecret.prefix + Base64URL.encode(bytes)
  }

  /// SHA-256 of the text: what is stored. A fast hash is enough, since nobody can guess 256 random
  /// bits; and looking it up by hash leaks no prefix by timing.
  package var hash: [UInt8] { TokenSecret.hash(of: text) }

  /// Nil for a text that no token of ours can be.
  package static func hash(ofPresented text: String) -> [UInt8]? {
    guard text.utf8.count <= 256, text.hasPrefix(prefix) else { return nil }
    return hash(of: text)
  }

  private static func hash(of text: String) -> [UInt8] {
    SHA256.hash(text)
  }
}
