internal import Glibc
internal import NIOCore

/// Whose connections are counted together: those of an IPv4 address, of an IPv6 network of 64 bits
/// (what one customer of a provider has), or of this machine's sockets.
enum AddressGroup: Hashable, Sendable {
  case ipv4(UInt32)
  case ipv6(prefix: UInt64)
  case local

  init(_ address: SocketAddress?) {
    switch address {
    case .v4(let address):
      self = .ipv4(UInt32(bigEndian: address.address.sin_addr.s_addr))
    case .v6(let address):
      var bytes = address.address.sin6_addr
      self = withUnsafeBytes(of: &bytes) { Self(ipv6: $0) }
    case .unixDomainSocket, nil:
      self = .local
    }
  }

  /// - Parameter bytes: the 16 of an address.
  init(ipv6 bytes: UnsafeRawBufferPointer) {
    let high = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self).bigEndian
    let low = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
    // An IPv4 peer of a socket that takes both: ::ffff:a.b.c.d.
    self =
      high == 0 && low >> 32 == 0xffff
      ? .ipv4(UInt32(truncatingIfNeeded: low)) : .ipv6(prefix: high)
  }
}
