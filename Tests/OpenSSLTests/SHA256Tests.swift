import OpenSSL
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  /// FIPS 180-4's examples.
  private static let examples = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test("gives the standard's digests, at once and piece by piece", arguments: examples)
  func standardDigests(_ text: String, _ digest: String) {
    #expect(hex(SHA256.hash(text)) == digest)
    #expect(hex(SHA256.hash(Array(text.utf8))) == digest)
    var state = SHA256()
    for byte in text.utf8 { state.update([byte]) }
    #expect(hex(state.finalize()) == digest)
  }

  @Test("takes sequences that are not one piece of memory")
  func sequences() {
    let bytes = Array("abc".utf8)
    #expect(SHA256.hash(bytes.lazy.filter { _ in true }) == SHA256.hash("abc"))
    var state = SHA256()
    state.update(bytes.lazy.filter { _ in true })
    #expect(state.finalize() == SHA256.hash("abc"))
  }

  @Test("a copy continues by itself")
  func copies() {
    var first = SHA256()
    first.update("ab".utf8)
    var second = first
    second.update("x".utf8)
    first.update("c".utf8)
    #expect(first.finalize() == SHA256.hash("abc"))
    #expect(second.finalize() == SHA256.hash("abx"))
  }

  @Test("random bytes have the wanted count and do not repeat")
  func random() throws {
    let first = try #require(randomBytes(5000))
    let second = try #require(randomBytes(5000))
    #expect(first.count == 5000)
    #expect(first != second)
    #expect(first.suffix(900) != second.suffix(900))
    #expect(try #require(randomBytes(0)).isEmpty)
  }
}
