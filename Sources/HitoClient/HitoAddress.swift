/// Where a server is: `host`, `host:port`, `[address]:port`.
public struct HitoAddress: Sendable, Hashable, CustomStringConvertible {
  /// The port of a server that does not say otherwise.
  public static let portDefault = 7443

  public let host: String
  public let port: Int

  /// Nil when `text` is not an address.
  public init?(_ text: String) {
    var host = Substring(text)
    var portText: Substring?
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      let rest = host[host.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      if !rest.isEmpty { portText = rest.dropFirst() }
      host = host[host.index(after: host.startIndex)..<end]
    } else if host.count(where: { $0 == ":" }) == 1, let colon = host.firstIndex(of: ":") {
      portText = host[host.index(after: colon)...]
      host = host[..<colon]
    }
    if let portText {
      guard let port = Int(portText), (1...65535).contains(port) else { return nil }
      self.port = port
    } else {
      port = Self.portDefault
    }
    let isPlain = host.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") }
    guard !host.isEmpty, isPlain else { return nil }
    self.host = String(host)
  }

  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
