internal import COpenSSL

/// What is wrong with certificates, keys or a TLS session; the text says which file.
package struct TLSError: Error, Sendable, Hashable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }

  /// Whether the peer's certificate is the reason: the text is session.c's.
  package var isCertificateRefused: Bool {
    description.hasPrefix("the peer's certificate was refused")
  }
}

/// Certificates, keys and trust, loaded once and shared by many connections.
///
/// `@unchecked Sendable`: the pointer is immutable, and an `SSL_CTX` that is no longer configured may
/// be used by many threads at once (OpenSSL's threading rules); sessions hold their own reference.
package final class TLSContext: @unchecked Sendable {
  private let handle: OpaquePointer

  private init(_ handle: OpaquePointer) {
    self.handle = handle
  }

  deinit { hito_tls_context_free(handle) }

  /// A server's context: PEM files of its certificate (chain) and key; `clientAuthorityFile` asks
  /// clients for certificates.
  package static func server(
    certificateFile: String, keyFile: String, clientAuthorityFile: String? = nil
  ) throws(TLSError) -> TLSContext {
    try make { error, size in
      hito_tls_server_context_take(certificateFile, keyFile, clientAuthorityFile, error, size)
    }
  }

  /// A client's context. `authorityFile` nil = the system's trust store.
  package static func client(
    authorityFile: String?, certificateFile: String? = nil, keyFile: String? = nil
  ) throws(TLSError) -> TLSContext {
    try make { error, size in
      hito_tls_client_context_take(authorityFile, certificateFile, keyFile, error, size)
    }
  }

  private static func make(
    _ body: (UnsafeMutablePointer<CChar>?, Int) -> OpaquePointer?
  ) throws(TLSError) -> TLSContext {
    var handle: OpaquePointer?
    let text = withErrorText { error, size in handle = body(error, size) }
    guard let handle else { throw TLSError(text) }
    return TLSContext(handle)
  }

  /// A session for an accepted connection.
  package func accept() throws(TLSError) -> TLSSession {
    guard let session = hito_tls_accept_take(handle) else {
      throw TLSError("no memory for a TLS session")
    }
    return TLSSession(session)
  }

  /// A session for a connection to `host`, which the peer's certificate must name.
  package func connect(host: String) throws(TLSError) -> TLSSession {
    guard !host.utf8.contains(0), let session = hito_tls_connect_take(handle, host) else {
      throw TLSError("no TLS session for this host name")
    }
    return TLSSession(session)
  }
}

/// Calls `body` with room for an error text and returns what it wrote.
func withErrorText(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Void) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
    buffer.initialize(repeating: 0)
    body(buffer.baseAddress, buffer.count)
    let bytes = UnsafeRawBufferPointer(buffer).prefix { $0 != 0 }
    return String(decoding: bytes, as: UTF8.self)
  }
}
