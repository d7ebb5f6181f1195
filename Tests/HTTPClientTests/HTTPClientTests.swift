import Foundation
import HTTPClient
import Synchronization
import Testing

@Suite("HTTP client")
struct HTTPClientTests {
  @Test("sends the request and hands on status, headers and body")
  func exchange() async throws {
    let heads = Mutex<[[String]]>([])
    try await withServer { exchange in
      heads.withLock { $0.append(exchange.head) }
      try await exchange.answer("201 Made", ["Retry-After:  7 ", "X-Empty:"], body: "done")
    } _: { port in
      let client = try HTTPClient()
      let answer = try await client.send(
        HTTPRequest(
          "POST", "http://127.0.0.1:\(port)/v1/x?y=1",
          headers: [("content-type", "application/json"), ("x-nothing", "")], body: [123, 125]))
      #expect(answer.status == 201)
      #expect(answer.header("RETRY-AFTER") == "7")
      #expect(answer.header("x-empty") == "")
      #expect(answer.header("x-other") == nil)
      #expect(try await answer.text() == "done")
      #expect(try await answer.next() == nil)
    }
    let head = try #require(heads.withLock { $0.first })
    #expect(head.first == "POST /v1/x?y=1 HTTP/1.1")
    #expect(head.contains("content-type: application/json"))
    #expect(head.contains("x-nothing:"))
    #expect(!head.contains { $0.lowercased().hasPrefix("expect:") })
    #expect(!head.contains { $0.lowercased().hasPrefix("accept-encoding:") })
  }

  @Test("a redirect is an answer, and is not followed")
  func redirect() async throws {
    let count = Mutex(0)
    try await withServer { exchange in
      count.withLock { $0 += 1 }
      try await exchange.answer("302 Found", ["Location: /elsewhere"])
    } _: { port in
      let answer = try await HTTPClient().send(HTTPRequest("GET", "http://127.0.0.1:\(port)/"))
      #expect(answer.status == 302)
      #expect(try await answer.text() == "")
    }
    #expect(count.withLock { $0 } == 1)
  }

  @Test("interim answers are passed over")
  func interimAnswers() async throws {
    try await withServer { exchange in
      try await exchange.send("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
      try await exchange.answer("200 OK", body: "late")
    } _: { port in
      let answer = try await HTTPClient().send(HTTPRequest("GET", "http://127.0.0.1:\(port)/"))
      #expect(answer.status == 200)
      #expect(answer.header("x-early") == nil)
      #expect(try await answer.text() == "late")
    }
  }

  @Test("a head without end is refused", arguments: ["X-More: 1\r\n", "HTTP/1.1 100 Go\r\n\r\n"])
  func endlessHead(_ line: String) async throws {
    try await withServer { exchange in
      if !line.hasPrefix("HTTP") { try await exchange.send("HTTP/1.1 200 OK\r\n") }
      for _ in 0..<2000 { try await exchange.send(line) }
      await exchange.waitForClose()
    } _: { port in
      let client = try HTTPClient(HTTPClient.Configuration(headByteCountMax: 8192))
      await #expect(throws: HTTPError.headTooLarge) {
        try await client.send(HTTPRequest("GET", "http://127.0.0.1:\(port)/"))
      }
    }
  }

  @Test(
    "what is not HTTP is a broken answer",
    arguments: ["SSH-2.0-x\r\n\r\n", "", "HTTP/1.1 9 x\r\n\r\n"])
  func notHTTP(_ text: String) async throws {
    try await withServer { exchange in
      try await exchange.send(text)
    } _: { port in
      let client = try HTTPClient()
      await #expect(throws: HTTPError.broken) {
        try await client.send(HTTPRequest("GET", "http://127.0.0.1:\(port)/"))
      }
    }
  }

  @Test("a body that is cut is told after what came of it")
  func cutBody() async throws {
    try await withServer { exchange in
      try await exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    } _: { port in
      let answer = try await HTTPClient().send(HTTPRequest("GET", "http://127.0.0.1:\(port)/"))
      #expect(try await answer.next() == Array("half".utf8))
      await #expect(throws: HTTPError.broken) { try await answer.next() }
    }
  }

  @Test("a reader that does not read makes the peer wait, and misses nothing")
  func slowReader() async throws {
    let sent = Mutex(0)
    let piece = String(repeating: "x", count: 1 << 16)
    let pieceCount = 512
    try await withServer { exchange in
      try await exchange.send("HTTP/1.1 200 OK\r\nContent-Length: \(pieceCount << 16)\r\n\r\n")
      for _ in 0..<pieceCount {
        try await exchange.send(piece)
        sent.withLock { $0 += piece.utf8.count }
      }
      await exchange.waitForClose()
    } _: { port in
      let client = try HTTPClient(HTTPClient.Configuration(unreadByteCountMax: 1 << 17))
      let answer = try await client.send(HTTPRequest("GET", "http://127.0.0.1:\(port)/"))
      var last = -1
      // Until nothing moves any more: both sockets' buffers are full then.
      while last != sent.withLock({ $0 }) {
        last = sent.withLock { $0 }
        try await Task.sleep(for: .milliseconds(200))
      }
      #expect(last < 24 << 20)
      var count = 0
      while let more = try await answer.next() { count += more.count }
      #expect(count == pieceCount << 16)
    }
  }

  @Test("cancelling the wait for a head closes the connection at once")
  func cancelledWait() async throws {
    try await withClosingServer { port, hasStarted, hasClosed in
      let client = try HTTPClient()
      let task = Task { try await client.send(HTTPRequest("GET", "http://127.0.0.1:\(port)/")) }
      for await _ in hasStarted { break }
      task.cancel()
      await #expect(throws: HTTPError.cancelled) { try await task.value }
      for await _ in hasClosed { break }
    } script: { _ in
    }
  }

  @Test("dropping an answer closes its connection at once")
  func droppedAnswer() async throws {
    try await withClosingServer { port, hasStarted, hasClosed in
      let client = try HTTPClient()
      do {
        let answer = try await client.send(HTTPRequest("GET", "http://127.0.0.1:\(port)/"))
        #expect(try await answer.next() == Array("more to come".utf8))
      }
      for await _ in hasClosed { break }
    } script: { exchange in
      try await exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nmore to come")
    }
  }

  @Test("a port that nobody listens on is unreachable")
  func refused() async throws {
    let port = try await withServer { _ in
    } _: {
      $0
    }
    let client = try HTTPClient()
    await #expect(throws: HTTPError.unreachable) {
      try await client.send(HTTPRequest("GET", "http://127.0.0.1:\(port)/"))
    }
  }

  @Test(
    "what cannot be sent is refused before it is",
    arguments: [
      HTTPRequest("GET", "ftp://127.0.0.1/"), HTTPRequest("GET", "file:///etc/passwd"),
      HTTPRequest("GET", "http://127.0.0.1/", headers: [("x", "a\r\nY: b")]),
      HTTPRequest("GET", "http://127.0.0.1/", headers: [("x\n", "a")]),
      HTTPRequest("GET", "http://127.0.0.1/", headers: [("", "a")]),
      HTTPRequest("GET /x HTTP/1.1\r\nY: b", "http://127.0.0.1/"), HTTPRequest("GET", ""),
      HTTPRequest("GET", "http://127.0.0.1/\r\nX: y"),
    ])
  func invalidRequest(_ request: HTTPRequest) async throws {
    let client = try HTTPClient()
    await #expect(throws: HTTPError.invalidRequest) { try await client.send(request) }
  }

  @Test("a hundred requests at once are answered, and no thread or transfer is left behind")
  func many() async throws {
    try await withServer { exchange in
      try await exchange.answer("200 OK", body: exchange.head[0])
    } _: { port in
      let client = try HTTPClient()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<100 {
          group.addTask {
            let answer = try await client.send(
              HTTPRequest("GET", "http://127.0.0.1:\(port)/\(index)"))
            #expect(try await answer.text() == "GET /\(index) HTTP/1.1")
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("a proxy of the environment is used, but never for this machine's own addresses")
  func proxy() async throws {
    try await withServer { exchange in
      try await exchange.answer("200 OK", body: exchange.head[0])
    } _: { port in
      setenv("http_proxy", "http://127.0.0.1:\(port)", 1)
      defer { unsetenv("http_proxy") }
      let client = try HTTPClient()
      let far = try await client.send(HTTPRequest("GET", "http://models.example/v1"))
      #expect(try await far.text() == "GET http://models.example/v1 HTTP/1.1")
      let near = try await client.send(HTTPRequest("GET", "http://localhost:\(port)/v1"))
      #expect(try await near.text() == "GET /v1 HTTP/1.1")
    }
  }

  /// Runs `body` with a server that says when a request has come and when its connection has closed.
  private func withClosingServer(
    _ body: @Sendable (Int, AsyncStream<Void>, AsyncStream<Void>) async throws -> Void,
    script: @escaping @Sendable (Exchange) async throws -> Void
  ) async throws {
    let (hasStarted, started) = AsyncStream.makeStream(of: Void.self)
    let (hasClosed, closed) = AsyncStream.makeStream(of: Void.self)
    try await withServer { exchange in
      try await script(exchange)
      started.yield()
      await exchange.waitForClose()
      closed.yield()
    } _: { port in
      try await body(port, hasStarted, hasClosed)
    }
  }
}
