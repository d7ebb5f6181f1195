/// Where a broker is and how to log in, from `amqp://user:password@host:port/vhost`, or `amqps` for TLS.
package struct BrokerAddress: Sendable, Hashable {
  package var host: String
  package var port: Int
  package var usesTLS: Bool
  package var user: String
  package var password: String
  package var virtualHost: String

  private static let textByteCountMax = 1024

  /// Parts are percent-encoded as the field has it: no path is the virtual host `/`, and `/a%2Fb` is
  /// `a/b`. Nil for anything else.
  package init?(_ url: String) {
    guard url.utf8.count <= Self.textByteCountMax, let scheme = url.firstRange(of: "://") else {
      return nil
    }
    switch url[..<scheme.lowerBound] {
    case "amqp": usesTLS = false
    case "amqps": usesTLS = true
    default: return nil
    }
    var rest = url[scheme.upperBound...]
    virtualHost = "/"
    if let slash = rest.firstIndex(of: "/") {
      let path = rest[rest.index(after: slash)...]
      guard let decoded = Self.decoded(path) else { return nil }
      if !path.isEmpty { virtualHost = decoded }
      rest = rest[..<slash]
    }
    (user, password) = ("guest", "guest")
    if let at = rest.lastIndex(of: "@") {
      let login = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard login.count == 2, let name = Self.decoded(login[0]), let word = Self.decoded(login[1]),
        !name.isEmpty
      else { return nil }
      (user, password) = (name, word)
      rest = rest[rest.index(after: at)...]
    }
    port = usesTLS ? 5671 : 5672
    if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") {
      guard let number = UInt16(rest[rest.index(after: colon)...]), number > 0 else { return nil }
      port = Int(number)
      rest = rest[..<colon]
    }
    if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
    let isName = rest.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "?") }
    guard !rest.isEmpty, isName else { return nil }
    host = String(rest)
  }

  /// Without the login, for logs.
  package var description: String { "\(usesTLS ? "amqps" : "amqp")://\(host):\(port)" }

  /// Nil for what is badly encoded, and for control characters: the C library ends texts at zero.
  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }
}
