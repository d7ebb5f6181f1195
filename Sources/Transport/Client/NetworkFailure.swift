internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import OpenSSL

/// Why a connection was not made, or ended, in words for people: those of NIO are written for its authors.
package struct NetworkFailure: Error, CustomStringConvertible {
  package let description: String
  /// Whether the server showed a certificate that is not trusted.
  package let isCertificateRefused: Bool

  init(_ error: any Error) {
    description = Self.text(of: error)
    isCertificateRefused = (error as? TLSError)?.isCertificateRefused ?? false
  }

  private static func text(of error: any Error) -> String {
    switch error {
    case let error as NetworkFailure: return error.description
    case let error as IOError: return String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
      // One for each address that the name stands for.
      var texts: [String] = []
      for one in error.connectionErrors.prefix(8) {
        let text = text(of: one.error)
        if !texts.contains(text) { texts.append(text) }
      }
      return texts.isEmpty ? "there is no host of that name" : texts.joined(separator: "; ")
    case is SocketAddressError: return "there is no host of that name"
    case ChannelError.connectTimeout: return "nothing answered in time"
    default: return "\(error)"
    }
  }
}

extension SocketAddress {
  /// `127.0.0.1:7443`, `[::1]:7443`, or the path of a Unix socket.
  var name: String {
    guard let ipAddress else { return pathname ?? "?" }
    let host = ipAddress.contains(":") ? "[\(ipAddress)]" : ipAddress
    return port.map { "\(host):\($0)" } ?? host
  }
}
