internal import COpenSSL

/// The development authority and the server's certificate, and what `doctor` asks of certificates.
package enum Certificates {
  /// Creates a certificate authority for development: EC P-256, ten years, the key with mode 0600.
  package static func createAuthority(
    certificateFile: String, keyFile: String, commonName: String = "Hito development CA",
    days: Int = 3650
  ) throws(TLSError) {
    try check { error, size in
      hito_tls_create_authority(
        certificateFile, keyFile, commonName, Int32(clamping: days), error, size)
    }
  }

  /// Creates a server certificate for localhost, 127.0.0.1, ::1 and `names` (DNS names or IP
  /// addresses), signed by the authority.
  package static func createServerCertificate(
    authorityCertificateFile: String, authorityKeyFile: String, certificateFile: String,
    keyFile: String, names: [String] = [], days: Int = 397
  ) throws(TLSError) {
    let standard = ["localhost", "127.0.0.1", "::1"]
    let all = standard + names.filter { !standard.contains($0) }
    guard all.allSatisfy(isHostName) else {
      throw TLSError("a name that is neither a host name nor an IP address: \(names)")
    }
    try check { error, size in
      withCStrings(all) { pointers in
        hito_tls_create_server_certificate(
          authorityCertificateFile, authorityKeyFile, certificateFile, keyFile,
          pointers.baseAddress, pointers.count, Int32(clamping: days), error, size)
      }
    }
  }

  /// When a certificate is valid, in seconds since 1970, and whose it is.
  package struct Validity: Sendable, Hashable {
    package let notBefore: Int64
    package let notAfter: Int64
    package let subject: String
  }

  /// Reads the first certificate of a PEM file.
  package static func validity(ofFile file: String) throws(TLSError) -> Validity {
    var notBefore: Int64 = 0
    var notAfter: Int64 = 0
    var subject = ""
    try check { error, size in
      var code: Int32 = 0
      subject = withErrorText { text, textSize in
        guard let text else { return }
        code = hito_tls_certificate_validity(
          file, &notBefore, &notAfter, text, textSize, error, size)
      }
      return code
    }
    return Validity(notBefore: notBefore, notAfter: notAfter, subject: subject)
  }

  private static func check(
    _ body: (UnsafeMutablePointer<CChar>?, Int) -> Int32
  ) throws(TLSError) {
    var code: Int32 = 0
    let text = withErrorText { error, size in code = body(error, size) }
    guard code == 1 else { throw TLSError(text) }
  }

  private static func isHostName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 253
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
          UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "*"):
          true
        default: false
        }
      }
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result
  ) -> Result {
    let copies = strings.map { string in
      let bytes = Array(string.utf8CString)
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
      copy.initialize(from: bytes, count: bytes.count)
      return copy
    }
    defer { for copy in copies { copy.deallocate() } }
    let pointers: [UnsafePointer<CChar>?] = copies.map { UnsafePointer($0) }
    return pointers.withUnsafeBufferPointer(body)
  }
}
