import Foundation
import OpenSSL
import RPC
import Testing
import Wire

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct SecurityTests {
  private func whoami(
    _ client: HitoTransport, token: String? = nil
  ) async throws(RPCError) -> String {
    try await client.unary(
      Methods.whoami, Blob(""), returning: Blob.self, options: CallOptions(token: token)
    ).text
  }

  @Test func `W13.1 the token of HELLO authenticates calls, and a call's own wins`() async throws {
    try await TestServer.with { server in
      let client = try server.client()
      #expect(try await whoami(client) == "user-good")
      #expect(try await whoami(client, token: "other") == "user-other")
      #expect(try await whoami(client) == "user-good")
    }
  }

  @Test func `W13.1 who was let in and who was refused is told with the address`() async throws {
    try await TestServer.with { server in
      let (known, stranger, liar) = (
        try server.client(), try server.client(token: nil), try server.client(token: "wrong")
      )
      #expect(try await known.echo("x") == "x")
      for client in [stranger, liar] {
        await #expect(throws: RPCError.self) { try await client.echo("x") }
      }
      let refused = "refused \(Methods.echo.path) UNAUTHENTICATED nobody 127.0.0.1"
      #expect(server.observed.count(refused) == 2)
      #expect(server.observed.count("signed in user-good 127.0.0.1") >= 1)
      for client in [known, stranger, liar] { client.close() }
    }
  }

  @Test(arguments: [nil, "wrong"] as [String?])
  func `W13.1 without a valid token calls are UNAUTHENTICATED, public ones work`(
    _ token: String?
  ) async throws {
    try await TestServer.with { server in
      let client = try server.client(token: token)
      let error = await #expect(throws: RPCError.self) { try await client.echo("x") }
      #expect(error?.code == .unauthenticated)
      let pong = try await client.unary(
        Methods.ping, Blob("x"), returning: Blob.self, options: CallOptions())
      #expect(pong.text == "x")
    }
  }

  @Test func `the authenticator is asked once for many calls`() async throws {
    try await TestServer.with(configured { $0.authenticationTTL = .seconds(600) }) { server in
      let client = try server.client()
      for _ in 0..<50 { _ = try await client.echo("x") }
      for _ in 0..<50 { _ = try await whoami(client, token: "other") }
      #expect(server.authenticator.askedCount.withLock { $0 } == 2)
    }
  }

  @Test func `W1.3 a certificate of another authority is refused`() async throws {
    try await TestServer.with { server in
      let stranger = try TestCertificates()
      let client = try server.client { $0.tls = try stranger.clientTLS() }
      let error = await #expect(throws: RPCError.self) { try await client.echo("x") }
      #expect(error?.code == .unavailable)
      #expect(error?.message.contains("certificate") == true)
      try await server.expectServesOthers()
    }
  }

  @Test func `W1.3 a certificate for another host is refused`() async throws {
    try await TestServer.with { server in
      let client = try server.client { $0.serverName = "example.com" }
      let error = await #expect(throws: RPCError.self) { try await client.echo("x") }
      #expect(error?.message.contains("certificate") == true)
    }
  }

  /// What `openssl s_client` says to the server with these arguments.
  private func openssl(_ arguments: [String], port: Int) async throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["openssl", "s_client", "-connect", "127.0.0.1:\(port)"] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    return try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { _ in
        let data = output.fileHandleForReading.readDataToEndOfFile()
        continuation.resume(returning: String(decoding: data, as: UTF8.self))
      }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
  }

  @Test func `W1.1 TLS 1.2 is refused`() async throws {
    try await TestServer.with { server in
      let text = try await openssl(["-tls1_2", "-alpn", "hito/1"], port: server.port)
      #expect(text.contains("alert protocol version"))
      try await server.expectServesOthers()
    }
  }

  @Test(arguments: [["-alpn", "h2"], []])
  func `W1.2 another ALPN, or none, is refused with its alert`(_ alpn: [String]) async throws {
    try await TestServer.with { server in
      let text = try await openssl(["-tls1_3"] + alpn, port: server.port)
      #expect(text.contains("no application protocol"))
      try await server.expectServesOthers()
    }
  }

  @Test func `the server's certificate is verified by openssl`() async throws {
    try await TestServer.with { server in
      let text = try await openssl(
        [
          "-tls1_3", "-alpn", "hito/1", "-CAfile", server.certificates.ca,
          "-verify_hostname", "localhost",
        ], port: server.port)
      #expect(text.contains("Verify return code: 0 (ok)"))
      #expect(text.contains("ALPN protocol: hito/1"))
    }
  }

  @Test func `keys are private and validity can be read`() throws {
    let certificates = try TestCertificates(names: ["hito.example", "10.1.2.3"])
    for file in [certificates.key, certificates.caKey] {
      let attributes = try FileManager.default.attributesOfItem(atPath: file)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
    let validity = try Certificates.validity(ofFile: certificates.certificate)
    let now = Int64(Date().timeIntervalSince1970)
    #expect(validity.notBefore < now)
    #expect(validity.notAfter > now + 390 * 86400)
    #expect(validity.subject.contains("localhost"))
  }

  @Test func `certificate errors name the file`() throws {
    let certificates = try TestCertificates()
    let missing = #expect(throws: TLSError.self) {
      try TLSContext.server(certificateFile: "/nowhere.pem", keyFile: certificates.key)
    }
    #expect(missing?.description.contains("/nowhere.pem") == true)
    let mixed = #expect(throws: TLSError.self) {
      try TLSContext.server(
        certificateFile: certificates.certificate, keyFile: certificates.caKey)
    }
    #expect(mixed?.description.contains(certificates.caKey) == true)
    #expect(throws: TLSError.self) {
      try Certificates.createServerCertificate(
        authorityCertificateFile: certificates.ca, authorityKeyFile: certificates.caKey,
        certificateFile: certificates.certificate, keyFile: certificates.key,
        names: ["bad name,DNS:evil"])
    }
  }

  @Test func `certificates can be replaced while the server runs`() async throws {
    try await TestServer.with { server in
      let old = try server.client()
      #expect(try await old.echo("a") == "a")
      let next = try TestCertificates()
      server.server.replaceTLS(try next.serverTLS())
      #expect(try await old.echo("b") == "b")
      let new = try server.client { $0.tls = try next.clientTLS() }
      #expect(try await new.echo("c") == "c")
    }
  }
}
