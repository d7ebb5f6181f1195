import Foundation
import HTTPClient
import OpenSSL
import Testing

@Suite("HTTP client over TLS")
struct TLSTests {
  @Test("trusts the named authority, and nobody else")
  func authority() async throws {
    try await withTLSServer(.serving) { port, authority in
      let trusting = try HTTPClient(HTTPClient.Configuration(authorityFile: authority))
      let url = "https://127.0.0.1:\(port)/"
      #expect(try await trusting.send(HTTPRequest("GET", url)).text() == "hello")
      let system = try HTTPClient()
      await #expect(throws: HTTPError.untrusted) { try await system.send(HTTPRequest("GET", url)) }
    }
  }

  @Test("refuses a certificate of another host")
  func hostName() async throws {
    try await withTLSServer(.serving) { port, authority in
      let client = try HTTPClient(HTTPClient.Configuration(authorityFile: authority))
      await #expect(throws: HTTPError.untrusted) {
        try await client.send(HTTPRequest("GET", "https://127.0.0.2:\(port)/"))
      }
    }
  }

  @Test("refuses TLS 1.1")
  func oldVersion() async throws {
    try await withTLSServer(.oldVersion) { port, authority in
      let client = try HTTPClient(HTTPClient.Configuration(authorityFile: authority))
      await #expect(throws: HTTPError.untrusted) {
        try await client.send(HTTPRequest("GET", "https://127.0.0.1:\(port)/"))
      }
    }
  }

  @Test("a peer that accepts and says nothing is unreachable after the time for a connection")
  func silentPeer() async throws {
    try await withTLSServer(.silent) { port, _ in
      let client = try HTTPClient(HTTPClient.Configuration(connectTimeout: .milliseconds(300)))
      await #expect(throws: HTTPError.unreachable) {
        try await client.send(HTTPRequest("GET", "https://127.0.0.1:\(port)/"))
      }
    }
  }

  private enum Behaviour: String {
    case serving, oldVersion, silent
  }

  /// A TLS server of Python's, whose OpenSSL is another build than the client's.
  private static let program = """
    import socket, ssl, sys, threading
    behaviour, certificate, key = sys.argv[1:]
    listener = socket.create_server(("0.0.0.0", 0), backlog=16)
    import warnings; warnings.simplefilter("ignore")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if behaviour == "oldVersion":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(certificate, key)
    print(listener.getsockname()[1], flush=True)
    def serve(peer):
        if behaviour == "silent":
            peer.recv(1)
            peer.settimeout(30)
            try:
                while peer.recv(4096): pass
            except OSError: pass
            return
        try:
            with context.wrap_socket(peer, server_side=True) as tls:
                tls.recv(4096)
                tls.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello")
        except OSError:
            pass
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=serve, args=(peer,), daemon=True).start()
    """

  private func withTLSServer(
    _ behaviour: Behaviour, _ body: (Int, String) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appending(path: name).path }
    try Certificates.createAuthority(certificateFile: path("ca.pem"), keyFile: path("ca.key"))
    try Certificates.createServerCertificate(
      authorityCertificateFile: path("ca.pem"), authorityKeyFile: path("ca.key"),
      certificateFile: path("server.pem"), keyFile: path("server.key"))
    let server = Process()
    server.executableURL = URL(filePath: "/usr/bin/env")
    server.arguments = [
      "python3", "-c", Self.program, behaviour.rawValue, path("server.pem"), path("server.key"),
    ]
    let output = Pipe()
    server.standardOutput = output
    try server.run()
    defer {
      // It has the signal mask of the thread that started it, which may hold SIGTERM back.
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }
    var line = Data()
    while !line.contains(10) {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { break }
      line += more
    }
    let port = try #require(
      Int(String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)))
    try await body(port, path("ca.pem"))
  }
}
