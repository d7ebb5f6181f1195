import Testing

@testable import HTTPClient

@Suite("HTTP heads and proxies")
struct HTTPPartTests {
  private func steps(_ lines: [String], byteCountMax: Int = 100) -> [HTTPHead.Step] {
    var head = HTTPHead(byteCountMax: byteCountMax)
    return lines.map { line in Array(line.utf8).withUnsafeBytes { head.received($0) } }
  }

  @Test("a head is whole at its empty line, and one of an interim answer is not")
  func wholeHead() {
    #expect(steps(["HTTP/1.1 200 OK\r\n", "A: b\r\n", "\r\n"]) == [.readOn, .readOn, .isWhole])
    #expect(
      steps(["HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 204\r\n", "\r\n"])
        == [.readOn, .readOn, .readOn, .isWhole])
  }

  @Test("a head that is not one is malformed")
  func malformedHead() {
    #expect(steps(["\r\n"]) == [.malformed])
    #expect(steps(["HTTP/1.1 two OK\r\n"]) == [.malformed])
    #expect(steps(["HTTP/1.1\r\n"]) == [.malformed])
    #expect(steps(["HTTP/1.1 99 No\r\n"]) == [.malformed])
  }

  @Test("the limit counts all lines together")
  func headLimit() {
    let line = "A: " + String(repeating: "b", count: 38) + "\r\n"
    #expect(
      steps(["HTTP/1.1 200 OK\r\n", line, line], byteCountMax: 100) == [
        .readOn, .readOn, .tooLarge,
      ])
  }

  @Test(
    "this machine's own addresses are known",
    arguments: [
      "http://localhost/", "https://LOCALHOST:1", "http://127.0.0.1:80/x", "http://127.9.9.9",
      "http://[::1]:80/", "http://a.localhost/", "http://user@127.0.0.1/",
    ])
  func ownAddress(_ url: String) {
    #expect(HTTPProxy.isOwnAddress(url))
  }

  @Test(
    "other addresses are not this machine's",
    arguments: [
      "http://example.org/127.0.0.1", "http://127.0.0.1.example.org/", "http://128.0.0.1/",
      "http://localhost.example.org", "http://127.0.0.1@example.org/", "http://[::2]/", "no URL",
      "http://127.0.0.1000/", "http://127.1/",
    ])
  func otherAddress(_ url: String) {
    #expect(!HTTPProxy.isOwnAddress(url))
  }
}
