import Foundation
import NIOCore
import NIOEmbedded
import OpenSSL
import RPC
import Wire

@testable import Transport

/// `how | bytes`: what a peer sends to a server behind TLS, in memory. Either bytes instead of a handshake,
/// or a true handshake of which one byte is changed, or bytes after it, encrypted or not.
enum TLSEntry {
  private static let contexts: (server: TLSContext, client: TLSContext) = {
    let folder = NSTemporaryDirectory() + "hito-fuzz-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let (ca, caKey) = (folder + "/ca.pem", folder + "/ca.key")
      let (certificate, key) = (folder + "/server.pem", folder + "/server.key")
      try Certificates.createAuthority(certificateFile: ca, keyFile: caKey)
      try Certificates.createServerCertificate(
        authorityCertificateFile: ca, authorityKeyFile: caKey, certificateFile: certificate,
        keyFile: key, names: ["localhost"])
      return (
        try .server(certificateFile: certificate, keyFile: key), try .client(authorityFile: ca)
      )
    } catch {
      fatalError("\(error)")
    }
  }()

  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let how = input.byte() & 3
    let bench = TLSBench(contexts.server)
    switch how {
    case 0: bench.receive(input.remainder())
    case 1: bench.handshake(contexts.client, change: (at: input.number16(), by: input.byte()))
    case 2:
      let client = bench.handshake(contexts.client)
      require(client != nil, "a true handshake fails")
      bench.receive(input.remainder())
    default:
      guard let client = bench.handshake(contexts.client) else {
        return require(false, "a true handshake fails")
      }
      while !input.isEmpty {
        let piece = input.flag() ? input.remainder() : input.bytes()
        _ = piece.withUnsafeBytes { client.write($0) }
        _ = client.takeOutput { bench.receive(Array($0)) }
      }
    }
    bench.end()
  }
}

private struct TLSBench {
  private let loop = EmbeddedLoop()
  private let server: EmbeddedServer
  private let channel: EmbeddedChannel
  private let connection: ServerConnection

  init(_ context: TLSContext) {
    server = EmbeddedServer(loop)
    do {
      let handler = TLSHandler(
        session: try context.accept(), scratch: loop.executor.scratch,
        handshakeTimeout: .seconds(10))
      guard let accepted = server.accept(tls: handler) else { fatalError("nobody is taken") }
      (channel, connection) = accepted
    } catch {
      fatalError("\(error)")
    }
  }

  func receive(_ bytes: [UInt8]) {
    channel.receive(bytes)
    loop.run()
    connection.requireSound()
  }

  /// A handshake as a client makes it. With a byte of the client's changed it must not come to an end;
  /// answers with the client's session where it did.
  @discardableResult
  func handshake(_ context: TLSContext, change: (at: Int, by: UInt8)? = nil) -> TLSSession? {
    guard let client = try? context.connect(host: "localhost") else { return nil }
    var sentByteCount = 0
    var isDone = false
    for _ in 0..<4 where channel.isActive {
      isDone = client.handshake() == .done || isDone
      let sent = client.takeOutput { output -> [UInt8] in
        var bytes = Array(output)
        if let change, bytes.indices.contains(change.at - sentByteCount) {
          bytes[change.at - sentByteCount] ^= change.by
        }
        sentByteCount += bytes.count
        return bytes
      }
      if let sent { receive(sent) }
      let answer = channel.takeOutput()
      if !answer.isEmpty {
        answer.withUnsafeBytes { raw in
          client.withInput(raw) { isDone = $0.handshake() == .done || isDone }
        }
      }
    }
    return isDone ? client : nil
  }

  func end() {
    _ = channel.takeOutput()
    _ = try? channel.close().wait()
    loop.advance(by: .seconds(1))
    connection.requireGone()
    server.requireEmpty()
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }
}
