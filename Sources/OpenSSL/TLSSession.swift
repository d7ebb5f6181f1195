internal import COpenSSL

/// One TLS session as bytes in and bytes out: owns no socket and knows no event loop. Not Sendable:
/// it belongs to one channel handler.
package final class TLSSession {
  private let handle: OpaquePointer

  /// Takes ownership of a handle from COpenSSL.
  init(_ handle: OpaquePointer) {
    self.handle = handle
  }

  deinit { hito_tls_session_free(handle) }

  package enum Progress: Equatable {
    case done
    case wantsInput
    case closed
    case failed(String)
  }

  /// Lends encrypted input for the time of `body`, which reads until more input is wanted.
  package func withInput<Result>(
    _ bytes: UnsafeRawBufferPointer, _ body: (TLSSession) -> Result
  ) -> Result {
    hito_tls_lend_input(handle, bytes.baseAddress, bytes.count)
    defer { hito_tls_return_input(handle) }
    return body(self)
  }

  package func handshake() -> Progress {
    var code: Int32 = 0
    let text = withErrorText { error, size in code = hito_tls_handshake(handle, error, size) }
    return progress(code, text)
  }

  /// Reads plain bytes into `room`; answers with their count, or with why there are none.
  package func read(into room: UnsafeMutableRawBufferPointer) -> (byteCount: Int, Progress) {
    let code = hito_tls_read(
      handle, room.baseAddress, Int32(clamping: room.count), nil, 0)
    return code > 0 ? (Int(code), .done) : (0, progress(code, "TLS data does not decrypt"))
  }

  /// Encrypts all of `bytes` into the output; false when the session is unusable.
  package func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    hito_tls_write(handle, bytes.baseAddress, bytes.count) == 1
  }

  /// Puts close_notify into the output.
  package func close() {
    hito_tls_close(handle)
  }

  /// Lends what is to be sent to `body`, which must not use the session, and forgets it. Answers
  /// nil, without calling `body`, when there is nothing.
  package func takeOutput<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
    var count = 0
    let bytes = hito_tls_output_borrow(handle, &count)
    guard count > 0 else { return nil }
    defer { hito_tls_output_clear(handle) }
    return body(UnsafeRawBufferPointer(start: bytes, count: count))
  }

  /// The common name of the peer's verified certificate.
  package var peerName: String? {
    var found: Int32 = 0
    let name = withErrorText { text, size in found = hito_tls_peer_name(handle, text, size) }
    return found == 1 ? name : nil
  }

  private func progress(_ code: Int32, _ text: String) -> Progress {
    switch code {
    case Int32(HITO_TLS_DONE): .done
    case Int32(HITO_TLS_WANT): .wantsInput
    case Int32(HITO_TLS_CLOSED): .closed
    default: .failed(text)
    }
  }
}
