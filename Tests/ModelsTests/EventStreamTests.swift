import Models
import Testing

@Suite struct EventStreamTests {
  private static let stream =
    "\u{FEFF}: a comment\r\nevent: x\ndata: {\"a\":\r\ndata: 1}\n\rdata:two\n\nid: 7\n\nretry:3\n"
    + "data\n\ndata:  three \u{1F600}\r\n\r\n: only a comment\n\ndata: [DONE]\n\ndata: lost"
  private static let events = ["{\"a\":\n1}", "two", "", " three \u{1F600}", "[DONE]"]

  private func events(of pieces: [[UInt8]]) throws -> [String] {
    var machine = EventStreamMachine(lineByteCountMax: 100, eventByteCountMax: 100)
    return try pieces.flatMap { try machine.receive($0) }.map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  @Test func `A stream has the same events in one piece and byte by byte`() throws {
    let bytes = Array(Self.stream.utf8)
    #expect(try events(of: [bytes]) == Self.events)
    #expect(try events(of: bytes.map { [$0] }) == Self.events)
  }

  @Test func `A stream has the same events wherever it is cut in two`() throws {
    let bytes = Array(Self.stream.utf8)
    for cut in 0...bytes.count {
      #expect(try events(of: [Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.events)
    }
  }

  @Test func `A line that is too long ends the stream for good`() throws {
    var machine = EventStreamMachine(lineByteCountMax: 10, eventByteCountMax: 100)
    #expect(try machine.receive("data: 1234\n\n".utf8).count == 1)
    #expect(throws: EventStreamError.lineTooLong(maximum: 10)) {
      try machine.receive("data: 12345".utf8)
    }
    #expect(throws: EventStreamError.lineTooLong(maximum: 10)) { try machine.receive("\n\n".utf8) }
  }

  @Test func `Many short lines do not make an event that is too long`() throws {
    var machine = EventStreamMachine(lineByteCountMax: 10, eventByteCountMax: 20)
    #expect(throws: EventStreamError.eventTooLong(maximum: 20)) {
      for _ in 0..<10 { _ = try machine.receive("data: 123\n".utf8) }
    }
  }

  @Test func `Bytes that are not text pass through`() throws {
    var machine = EventStreamMachine(lineByteCountMax: 100, eventByteCountMax: 100)
    let bytes: [UInt8] = Array("data: ".utf8) + [0xFF, 0x00, 0xC3] + Array("\n\n".utf8)
    #expect(try machine.receive(bytes) == [[0xFF, 0x00, 0xC3]])
  }
}

@Suite struct ChatStreamTests {
  private func outcome(_ events: [String], byteCountMax: Int = 100) throws -> ChatOutcome {
    var machine = ChatStreamMachine(textByteCountMax: byteCountMax)
    for event in events { _ = try machine.received(Array(event.utf8)) }
    _ = machine.finishText()
    return try machine.ended()
  }

  private func piece(_ text: String) -> String {
    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(text)\"}}],\"model\":\"m-1\"}"
  }

  private let stop = "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"
  private let usage = "{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}"

  @Test func `Pieces, the reason to finish and the usage make an outcome`() throws {
    let outcome = try outcome([piece("Ho"), piece("la"), stop, usage, "[DONE]"])
    #expect(
      outcome
        == ChatOutcome(text: "Hola", promptTokenCount: 3, replyTokenCount: 2, model: "m-1"))
  }

  @Test func `A stream that says neither a reason to finish nor that it is done is cut`() throws {
    #expect(throws: ProviderFailure.cut) { try outcome([piece("Ho")]) }
    #expect(throws: ProviderFailure.cut) { try outcome([]) }
    #expect(try outcome([piece("Ho"), "[DONE]"]).text == "Ho")
    #expect(throws: ProviderFailure.replyInvalid("the reply is empty")) { try outcome(["[DONE]"]) }
  }

  @Test func `Every way to finish has its meaning`() {
    func finish(_ reason: String) -> String {
      "{\"choices\":[{\"delta\":{},\"finish_reason\":\"\(reason)\"}]}"
    }
    #expect(throws: ProviderFailure.replyCut) { try outcome([piece("a"), finish("length")]) }
    #expect(throws: ProviderFailure.refused(.content, status: 0)) {
      try outcome([piece("a"), finish("content_filter")])
    }
    #expect(throws: ProviderFailure.replyInvalid("the reply is empty")) { try outcome([stop]) }
    #expect(throws: ProviderFailure.self) { try outcome([piece("a"), finish("tool_calls")]) }
    #expect(throws: ProviderFailure.refused(.content, status: 0)) {
      try outcome(["{\"choices\":[{\"delta\":{\"refusal\":\"no\"}}]}", stop])
    }
  }

  @Test(arguments: ["{", "{\"choices\":7}", "{\"choices\":[7]}", "{\"choices\":[{\"delta\":1}]}"])
  func `What begins like a chunk and is none is malformed`(event: String) {
    #expect(throws: ProviderFailure.malformed) { try outcome([event]) }
  }

  @Test(arguments: [
    "", " ", "[]", "{}", "ping", "null", "{\"choices\":null}", "{\"choices\":[]}",
    "{\"type\":\"ping\"}", "{\"usage\":null}", "{\"error\":null}", "{\"error\":\"\"}",
  ])
  func `Signs of life are read over`(event: String) throws {
    #expect(try outcome([event, piece("Ho"), event, piece("la"), event, stop]).text == "Hola")
  }

  @Test func `Nesting without an end is not parsed`() {
    let deep = "{\"choices\":" + String(repeating: "[", count: 100_000)
    #expect(throws: ProviderFailure.malformed) { try outcome([deep]) }
  }

  @Test func `An error in the stream is the failure that it names`() {
    #expect(throws: ProviderFailure.promptTooLong) {
      try outcome(["{\"error\":{\"code\":\"context_length_exceeded\",\"message\":\"x\"}}"])
    }
    #expect(throws: ProviderFailure.serverError(status: 503, retryAfter: nil)) {
      try outcome(["{\"error\":{\"code\":503}}"])
    }
    #expect(throws: ProviderFailure.serverError(status: 500, retryAfter: nil)) {
      try outcome(["{\"error\":\"some text\"}"])
    }
  }

  @Test func `The text, the counts and the name of the model are bounded`() throws {
    #expect(throws: ProviderFailure.tooLarge) {
      try outcome([piece("123"), piece("45")], byteCountMax: 4)
    }
    let name = String(repeating: "n", count: 200)
    let bounded = try outcome([
      "{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"model\":\"\(name)\"}", stop,
      "{\"choices\":[],\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":9000000000000}}",
    ])
    #expect(bounded.model == nil)
    #expect(bounded.promptTokenCount == 0)
    #expect(bounded.replyTokenCount == 100_000_000)
  }
}
