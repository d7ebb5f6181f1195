internal import COpenSSL

/// HMAC-SHA-256 (RFC 2104) under one key, by the system's libcrypto.
///
/// Unchecked: the handle is made once and only read from then on; each code is made on a copy of it.
package final class HMACSHA256: @unchecked Sendable {
  private let handle: OpaquePointer

  package init(key: [UInt8]) {
    // Without its memory libcrypto has no other way to fail at a code.
    guard let handle = hito_hmac_key_take(key, key.count) else {
      fatalError("out of memory for a code")
    }
    self.handle = handle
  }

  deinit { hito_hmac_key_free(handle) }

  /// The code of `bytes`, 32 bytes.
  package func code(of bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { buffer, count in
      guard hito_hmac(handle, bytes, bytes.count, buffer.baseAddress) == 1 else {
        fatalError("out of memory for a code")
      }
      count = SHA256.byteCount
    }
  }
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
package func isEqualSecret(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && hito_is_equal(left, right, left.count) == 1
}
