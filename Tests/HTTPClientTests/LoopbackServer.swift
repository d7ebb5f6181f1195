import Foundation
import HTTPClient
import NIOCore
import NIOPosix

/// A connection to a scripted server, after the head of its request was read. It closes when the
/// script returns.
struct Exchange: Sendable {
  /// The request line and the header lines.
  let head: [String]
  private let channel: any Channel
  private let inbound: InboundBytes

  fileprivate init(_ channel: any Channel, _ inbound: InboundBytes) async throws {
    self.channel = channel
    self.inbound = inbound
    head = try await inbound.head()
  }

  /// Returns when the system has taken all of it: a peer that does not read makes this wait.
  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text)).get()
  }

  func answer(_ statusLine: String, _ headers: [String] = [], body: String = "") async throws {
    let lines = ["HTTP/1.1 \(statusLine)", "Content-Length: \(body.utf8.count)"] + headers
    try await send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
  }

  /// Returns when the client has closed the connection.
  func waitForClose() async { await inbound.drain() }
}

/// Runs `body` with the port of a server on 127.0.0.1 that treats each connection as `script` says.
func withServer<Value: Sendable>(
  _ script: @escaping @Sendable (Exchange) async throws -> Void,
  _ body: @Sendable (Int) async throws -> Value
) async throws -> Value {
  let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
    .bind(host: "127.0.0.1", port: 0) { channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
      }
    }
  let port = server.channel.localAddress?.port ?? 0
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      try await withThrowingDiscardingTaskGroup { connections in
        try await server.executeThenClose { clients in
          for try await client in clients {
            connections.addTask {
              try? await client.executeThenClose { inbound, _ in
                let bytes = InboundBytes(inbound.makeAsyncIterator())
                try await script(Exchange(client.channel, bytes))
              }
            }
          }
        }
      }
    }
    let value = try await body(port)
    group.cancelAll()
    return value
  }
}

// Unchecked: one connection's task reads it.
private final class InboundBytes: @unchecked Sendable {
  private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator

  init(_ iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) {
    self.iterator = iterator
  }

  func head() async throws -> [String] {
    var text = ""
    while !text.contains("\r\n\r\n") {
      guard let more = try await iterator.next() else { throw CancellationError() }
      text += String(buffer: more)
    }
    return text.components(separatedBy: "\r\n\r\n")[0].components(separatedBy: "\r\n")
  }

  func drain() async {
    while let more = try? await iterator.next() { _ = more }
  }
}

extension HTTPAnswer {
  /// The rest of the body.
  func text() async throws(HTTPError) -> String {
    var bytes: [UInt8] = []
    while let more = try await next() { bytes += more }
    return String(decoding: bytes, as: UTF8.self)
  }
}
