import HitoClient
import JSON
import Synchronization

/// What has come of a call so far.
final class Got: Sendable {
  private struct State {
    var messages: [JSONValue] = []
    var said = ResponseMetadata()
  }

  private let state = Mutex(State())

  var messages: JSONValue { .array(state.withLock { $0.messages }) }
  /// What the server said beside its messages, as an answer has it.
  var said: Reply {
    let said = state.withLock { $0.said }
    return [
      ("metadata", Self.shown(said.metadata, said.binaryMetadata)),
      ("trailers", Self.shown(said.trailers, said.binaryTrailers)),
    ]
  }

  private static func shown(_ texts: [(String, String)], _ bytes: [(String, [UInt8])]) -> JSONValue
  {
    .array(
      (texts + bytes.map { ($0.0, hex($0.1)) }).map { .array([.string($0.0), .string($0.1)]) })
  }

  /// How many there are now.
  @discardableResult
  func add(_ message: some WireMessage) -> Int {
    let text = JSONValue.string(hex(message.encodedBytes()))
    return state.withLock { state in
      state.messages.append(text)
      return state.messages.count
    }
  }

  func said(by server: ResponseMetadata) {
    state.withLock { $0.said = server }
  }
}
