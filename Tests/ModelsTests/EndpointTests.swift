import Domain
import Models
import Testing

@Suite struct EndpointTests {
  @Test(arguments: [
    "https://api.example.com/v1", "https://api.example.com:8443/openai/v1/",
    "http://127.0.0.1:9/v1",
    "http://localhost:8080/v1", "http://[::1]:8080/v1",
  ])
  func `Addresses that keep prompts from others pass`(url: String) throws {
    try ProviderEndpoint(baseURL: url, model: "m").validate()
  }

  @Test(arguments: [
    "", "api.example.com", "ftp://example.com", "https://", "https:///v1", "http://example.com/v1",
    "https://user:secret@example.com/v1", "https://secret@example.com/v1",
    "https://example.com/v1?key=secret", "https://example.com/v1#secret", "file:///etc/passwd",
    "http://localhost.example.com/", "https://exa mple.com",
  ])
  func `Other addresses are refused, and the reason does not repeat them`(url: String) throws {
    do {
      try ProviderEndpoint(baseURL: url, model: "m").validate()
      Issue.record("accepted")
    } catch {
      #expect(!"\(error)".contains("secret") && !"\(error)".contains("example.com"))
    }
    if url.hasPrefix("http://example") {
      try ProviderEndpoint(baseURL: url, model: "m", allowsPlaintext: true).validate()
    }
  }

  @Test(arguments: [
    "http://192.168.1.7:8080/v1", "http://10.0.0.1/v1", "http://172.16.3.4/v1",
    "http://gpu:11434/v1",
    "http://gpu.lan/v1", "http://[fd00::1]:8080/v1", "http://[fe80::1]/v1", "http://100.64.0.9/v1",
    "http://169.254.3.3/v1",
  ])
  func `Hosts of the own network are called in the open where that is allowed`(url: String) throws {
    #expect(throws: ModelConfigurationError.self) {
      try ProviderEndpoint(baseURL: url, model: "m").validate()
    }
    try ProviderEndpoint(baseURL: url, model: "m", allowsPlaintext: true).validate()
  }

  @Test(arguments: [
    "http://8.8.8.8/v1", "http://172.32.0.1/v1", "http://192.169.1.1/v1", "http://[2001:db8::1]/v1",
    "http://[::ffff:8.8.8.8]/v1", "http://100.128.0.1/",
  ])
  func `Others are not`(url: String) {
    #expect(throws: ModelConfigurationError.self) {
      try ProviderEndpoint(baseURL: url, model: "m", allowsPlaintext: true).validate()
    }
  }

  @Test func `Settings that can never work are refused`() {
    func refuses(_ change: (inout ProviderEndpoint) -> Void) -> Bool {
      var endpoint = ProviderEndpoint(baseURL: "https://example.com/v1", model: "m")
      change(&endpoint)
      do {
        try endpoint.validate()
        return false
      } catch {
        return true
      }
    }
    #expect(!refuses { _ in })
    #expect(refuses { $0.model = "" })
    #expect(refuses { $0.model = "a\nb" })
    #expect(refuses { $0.timeouts.idle = .zero })
    #expect(refuses { $0.timeouts.whole = .seconds(100_000) })
    #expect(refuses { $0.retries.attemptCountMax = 0 })
    #expect(refuses { $0.retries.backoffFirst = .zero })
    #expect(refuses { $0.breaker.failureCountMax = 0 })
    #expect(refuses { $0.concurrentCallMax = 0 })
    #expect(refuses { $0.waitingCallMax = -1 })
  }

  @Test func `A key is not shown by anything that prints it`() throws {
    let key = try #require(ProviderKey("very-secret"))
    var dumped = ""
    dump(ProviderEndpoint(baseURL: "https://a.example", model: "m", key: key), to: &dumped)
    for text in ["\(key)", String(reflecting: key), String(describing: [key]), dumped] {
      #expect(!text.contains("very-secret"))
    }
    for text in ["", "a b", "a\r\nx: y", "ñ", "a\u{0}", String(repeating: "k", count: 5000)] {
      #expect(ProviderKey(text) == nil)
    }
  }

  @Test func `The log has fixed fields and nothing that anybody said`() async throws {
    let capture = LogCapture()
    let prompt = "PROMPT-of-the-learner"
    try await withScriptedServer { exchange in
      switch exchange.number {
      case 1: try await exchange.answer(500, #"{"error":{"message":"FOREIGN-error"}}"#)
      case 2: try await exchange.stream(["{\"title\":\"REPLY-one\",\"FOREIGN-name\":1}"])
      case 3: try await exchange.stream(["{\"title\":\"REPLY-two\"}"])
      default: try await exchange.answer(401, #"{"error":{"code":"FOREIGN-code"}}"#)
      }
    } _: { url in
      let model = try OpenAIChatModel(.quick(url), time: ManualTime(), logger: capture.logger)
      _ = try await Listener().ask(model, .title(prompt))
      await #expect(throws: LanguageModelError.self) {
        try await Listener().ask(model, .title(prompt))
      }
      let embedder = try OpenAIEmbedder(
        .quick(url), options: EmbeddingOptions(dimensionCount: 2), time: ManualTime(),
        logger: capture.logger)
      await #expect(throws: EmbedderError.self) { try await embedder.embed([prompt]) }
    }
    #expect(capture.lines.count == 5)
    for secret in ["PROMPT", "FOREIGN", "REPLY", "secret", "127.0.0.1", "http"] {
      #expect(!capture.text.contains(secret), "\(secret)")
    }
    #expect(
      capture.lines[0].contains("outcome=server_error") && capture.lines[0].contains("status=500"))
    #expect(
      capture.lines[1].contains("outcome=reply_invalid") && capture.lines[1].contains("attempt=2"))
    #expect(
      capture.lines[2].contains("outcome=replied") && capture.lines[2].contains("prompt_tokens=11")
        && capture.lines[2].contains("reply_tokens=7") && capture.lines[2].contains("attempt=3"))
    #expect(capture.lines[3].contains("status=401"))
    #expect(capture.lines[4].contains("operation=embeddings"))
  }
}
