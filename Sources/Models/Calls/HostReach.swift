import Glibc

/// How far away a host is, as far as its name or address tells.
enum HostReach: Sendable, Hashable {
  case thisMachine
  /// An address of a private network (RFC 1918, 6598, 3927, 4193, 4291), or a name: what a name stands
  /// for is the operator's knowledge.
  case ownNetwork
  /// An address of the public internet.
  case everywhere

  init(_ host: String) {
    let bare =
      host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    if bare.lowercased() == "localhost" {
      self = .thisMachine
    } else if let bytes = Self.bytes(AF_INET, 4, bare) {
      self.init(version4: bytes)
    } else if let bytes = Self.bytes(AF_INET6, 16, bare) {
      self.init(version6: bytes)
    } else {
      self = .ownNetwork
    }
  }

  private init(version4 bytes: [UInt8]) {
    switch (bytes[0], bytes[1]) {
    case (127, _): self = .thisMachine
    case (0, 0) where bytes == [0, 0, 0, 0]: self = .thisMachine
    case (10, _), (192, 168), (169, 254), (172, 16...31), (100, 64...127): self = .ownNetwork
    default: self = .everywhere
    }
  }

  private init(version6 bytes: [UInt8]) {
    if bytes.dropLast() == ArraySlice(repeating: 0, count: 15), bytes[15] == 1 {
      self = .thisMachine
    } else if bytes[..<12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] {
      self.init(version4: Array(bytes[12...]))
    } else if bytes[0] & 0xFE == 0xFC || bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80 {
      self = .ownNetwork
    } else {
      self = .everywhere
    }
  }

  private static func bytes(_ family: Int32, _ count: Int, _ text: String) -> [UInt8]? {
    // A zone is no part of the address.
    let address = String(text.prefix { $0 != "%" })
    var bytes = [UInt8](repeating: 0, count: count)
    return inet_pton(family, address, &bytes) == 1 ? bytes : nil
  }
}
