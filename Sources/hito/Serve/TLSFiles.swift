import Foundation
import OpenSSL
import Transport

/// The certificate that the server shows, and the authority that its clients trust.
///
/// Without files of the operator's own, a development authority and a certificate signed by it are
/// made in the data directory at the first start, and a new certificate when the old one is about
/// to expire. The authority stays the same, so clients continue to trust it.
struct TLSFiles {
  var certificate: String
  var key: String
  var clientAuthority: String?

  /// A certificate with less time left than this is replaced at the start.
  private static let renewalSeconds: TimeInterval = 30 * 24 * 3600

  init(certificate: String, key: String, clientAuthority: String?) {
    self.certificate = certificate
    self.key = key
    self.clientAuthority = clientAuthority
  }

  /// The development files in `directory`, made where they are missing.
  ///
  /// - Parameter names: host names and addresses beside localhost, 127.0.0.1 and ::1.
  init(developmentIn directory: String, names: [String], clientAuthority: String?) throws {
    let manager = FileManager.default
    try manager.createDirectory(
      atPath: directory, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o755])
    let (authority, authorityKey) = ("\(directory)/ca.pem", "\(directory)/ca.key")
    certificate = "\(directory)/server.pem"
    key = "\(directory)/server.key"
    self.clientAuthority = clientAuthority
    let hasAuthority =
      manager.fileExists(atPath: authority) && manager.fileExists(atPath: authorityKey)
    if !hasAuthority {
      // What the old one signed means nothing to those who trust the new one.
      try? manager.removeItem(atPath: certificate)
      try Certificates.createAuthority(certificateFile: authority, keyFile: authorityKey)
    }
    guard try needsCertificate(names: names) else { return }
    try Certificates.createServerCertificate(
      authorityCertificateFile: authority, authorityKeyFile: authorityKey,
      certificateFile: certificate, keyFile: key, names: names)
    try names.joined(separator: "\n").write(
      toFile: namesFile, atomically: true, encoding: .utf8)
  }

  /// What the certificate was made for, beside it: asking for other names makes another one.
  private var namesFile: String { "\(certificate).names" }

  private func needsCertificate(names: [String]) throws -> Bool {
    let manager = FileManager.default
    guard manager.fileExists(atPath: certificate), manager.fileExists(atPath: key),
      let made = try? String(contentsOfFile: namesFile, encoding: .utf8),
      made == names.joined(separator: "\n")
    else { return true }
    // One that cannot be read is made again: it is ours.
    guard let validity = try? Certificates.validity(ofFile: certificate) else { return true }
    let left = TimeInterval(validity.notAfter) - Date.now.timeIntervalSince1970
    return left < TLSFiles.renewalSeconds
  }
}
