import RPC
import Testing

@testable import Transport

@Suite("What a client's call has received")
struct InboxTests {
  /// The step as text, so that it can be compared.
  private func step(_ inbox: inout ClientCall.Inbox) -> String {
    switch inbox.step(reportStep: 4, { bytes, _ in String(decoding: bytes, as: UTF8.self) }) {
    case .message(let text, _, let returning): "message \(text), \(returning) returned"
    case .ended(let error): "ended \(error.map { "\($0.code)" } ?? "well")"
    case .empty: "empty"
    }
  }

  private func deliver(_ text: String, to inbox: inout ClientCall.Inbox) {
    Array(text.utf8).withUnsafeBytes { inbox.queue.deliver($0) }
  }

  @Test("a message that came with the end is read before the end")
  func messageBeforeEnd() {
    var inbox = ClientCall.Inbox()
    #expect(step(&inbox) == "empty")
    // Both arrive between two looks of the reader.
    deliver("reply", to: &inbox)
    inbox.isEnded = true
    #expect(step(&inbox) == "message reply, 5 returned")
    #expect(step(&inbox) == "ended well")
    #expect(step(&inbox) == "ended well")
  }

  @Test("credit is returned in steps, and an error comes after the messages")
  func creditAndError() {
    var inbox = ClientCall.Inbox()
    deliver("ab", to: &inbox)
    deliver("cd", to: &inbox)
    inbox.isEnded = true
    inbox.error = RPCError(.unavailable, "gone")
    #expect(step(&inbox) == "message ab, 0 returned")
    #expect(step(&inbox) == "message cd, 4 returned")
    #expect(step(&inbox) == "ended UNAVAILABLE")
  }
}
