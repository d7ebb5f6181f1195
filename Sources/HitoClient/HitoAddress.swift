/// Where a server is: `host`, `host:port`, `[v6]:port` or a bare v6 address.
public struct HitoAddress: Sendable, Hashable, CustomStringConvertible {
  /// The port of a server that does not say otherwise.
  public static let portDefault = 7443

  private static let hostByteCountMax = 253

  public let host: String
  public let port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Nil when `text` is not an address.
  public init?(_ text: String) {
    self.init(text, ports: 1...65_535, portDefault: Self.portDefault)
  }

  /// - Parameter portDefault: nil where the port must be given.
  package init?(_ text: String, ports: ClosedRange<Int>, portDefault: Int?) {
    var host = text[...]
    var portText: Substring?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      if !rest.isEmpty { portText = rest.dropFirst() }
    } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
      host = text[..<colon]
      portText = text[text.index(after: colon)...]
    }
    guard let port = portText.map({ Self.port($0, ports) }) ?? portDefault else { return nil }
    let isPlain = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
    guard !host.isEmpty, host.utf8.count <= Self.hostByteCountMax, isPlain else { return nil }
    self.init(host: String(host), port: port)
  }

  private static func port(_ text: Substring, _ ports: ClosedRange<Int>) -> Int? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let port = Int(text), ports.contains(port)
    else { return nil }
    return port
  }

  /// Addresses with commas between them; nil when one of them is none, or there is none.
  public static func list(_ text: String) -> [HitoAddress]? {
    var addresses: [HitoAddress] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let address = HitoAddress(String(part)) else { return nil }
      addresses.append(address)
    }
    return addresses
  }

  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
