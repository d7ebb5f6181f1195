import Domain
import Foundation
import JSON
import Models
import NIOCore
import NIOPosix
import Synchronization

/// One request to a scripted server, and what the script does with its connection. The connection
/// closes when the script returns.
struct Exchange: Sendable {
  /// Counted from 1 in the order in which requests came.
  let number: Int
  /// The request line and the headers, lowercased.
  let head: String
  let body: JSONValue
  private let inbound: Inbound
  private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

  fileprivate init(
    _ number: Int, _ request: (head: String, body: JSONValue), _ inbound: Inbound,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) {
    self.number = number
    head = request.head
    body = request.body
    self.inbound = inbound
    self.outbound = outbound
  }

  func send(_ text: String) async throws {
    try await outbound.write(ByteBuffer(string: text))
  }

  /// Sends the same piece again and again, and then nothing until the peer has left. Not for ever: where
  /// all threads are taken by the flood, nobody sees the peer leave.
  func flood(_ piece: String) async throws {
    do { for _ in 0..<20_000 { try await send(piece) } } catch { return }
    await waitForDisconnect()
  }

  /// A whole answer.
  func answer(_ status: Int, _ body: String, headers: [String] = []) async throws {
    let lines =
      [
        "HTTP/1.1 \(status) Scripted", "content-type: application/json", "connection: close",
        "content-length: \(body.utf8.count)",
      ] + headers
    try await send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
  }

  /// The head of a stream; what `send` sends then is its body, which ends with the connection.
  func beginStream() async throws {
    try await send(
      "HTTP/1.1 200 Scripted\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
  }

  /// A whole streamed completion.
  func stream(_ pieces: [String], finish: String? = "stop", usage: Bool = true) async throws {
    try await beginStream()
    for piece in pieces { try await send(Chunk.piece(piece)) }
    if let finish { try await send(Chunk.finish(finish)) }
    if usage { try await send(Chunk.usage(prompt: 11, reply: 7)) }
    if finish != nil { try await send(Chunk.done) }
  }

  /// Returns when the client has closed the connection.
  func waitForDisconnect() async { await inbound.drain() }
}

/// Events of a streamed completion.
enum Chunk {
  static let done = "data: [DONE]\n\n"

  static func piece(_ text: String) -> String {
    let content = JSONValue.string(text).text
    return "data: {\"model\":\"scripted-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
      + content + "},\"finish_reason\":null}]}\n\n"
  }

  static func finish(_ reason: String) -> String {
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"\(reason)\"}]}\n\n"
  }

  static func usage(prompt: Int, reply: Int) -> String {
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":\(prompt),\"completion_tokens\":\(reply)}}\n\n"
  }
}

/// Runs `body` with the address of a server on the loopback interface that treats every request as
/// `script` says. A script that throws closes its connection.
@discardableResult
func withScriptedServer<Value: Sendable>(
  _ script: @escaping @Sendable (Exchange) async throws -> Void,
  _ body: @Sendable (String) async throws -> Value
) async throws -> Value {
  let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .bind(host: "127.0.0.1", port: 0) { channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
      }
    }
  let port = server.channel.localAddress?.port ?? 0
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      let counter = Counter()
      try await withThrowingDiscardingTaskGroup { connections in
        try await server.executeThenClose { clients in
          for try await client in clients {
            connections.addTask {
              try? await client.executeThenClose { inbound, outbound in
                let inbound = Inbound(inbound.makeAsyncIterator())
                let request = try await inbound.request()
                try await script(Exchange(counter.next(), request, inbound, outbound))
              }
            }
          }
        }
      }
    }
    let value = try await body("http://127.0.0.1:\(port)/v1")
    group.cancelAll()
    return value
  }
}

private final class Counter: Sendable {
  private let count = Mutex(0)

  func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}

// Unchecked: one connection's task reads it.
private final class Inbound: @unchecked Sendable {
  private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private var bytes: [UInt8] = []

  init(_ iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) {
    self.iterator = iterator
  }

  func request() async throws -> (head: String, body: JSONValue) {
    while true {
      if let request = try parse() { return request }
      guard let more = try await iterator.next() else { throw CancellationError() }
      bytes.append(contentsOf: more.readableBytesView)
    }
  }

  private func parse() throws -> (head: String, body: JSONValue)? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return nil }
    let head = text[..<end.lowerBound].lowercased()
    let lengthLine = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
    let length = lengthLine.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) }
    let body = text[end.upperBound...].utf8
    guard let length, body.count >= length else { return nil }
    guard let value = JSONValue(parsing: Array(body)) else { throw CocoaError(.coderReadCorrupt) }
    return (head, value)
  }

  func drain() async {
    while let more = try? await iterator.next() { _ = more }
  }
}
