/// A host and a port, as people write them.
package struct Address: Sendable, Hashable, CustomStringConvertible {
  package static let portDefault = 7443

  package var host: String
  package var port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// `host`, `host:port`, `[v6]:port` or a bare v6 address; nil for anything else.
  package init?(_ text: String) {
    var host = text[...]
    var port = Address.portDefault
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      if !rest.isEmpty {
        guard let given = Address.port(rest.dropFirst()) else { return nil }
        port = given
      }
    } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
      guard let given = Address.port(text[text.index(after: colon)...]) else { return nil }
      host = text[..<colon]
      port = given
    }
    let isHost = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
    guard !host.isEmpty, host.utf8.count <= 253, isHost else { return nil }
    self.init(host: String(host), port: port)
  }

  private static func port(_ text: Substring) -> Int? {
    guard let port = Int(text), (1...65_535).contains(port), !text.hasPrefix("+") else {
      return nil
    }
    return port
  }

  package var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
