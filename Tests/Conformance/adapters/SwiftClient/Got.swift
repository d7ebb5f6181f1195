import HitoClient
import JSON
import Synchronization

/// What has come of a call so far.
final class Got: Sendable {
  private struct State {
    var messages: [JSONValue] = []
    var trailers: [JSONValue] = []
  }

  private let state = Mutex(State())

  var messages: JSONValue { .array(state.withLock { $0.messages }) }
  var shownTrailers: JSONValue { .array(state.withLock { $0.trailers }) }

  /// How many there are now.
  @discardableResult
  func add(_ message: some WireMessage) -> Int {
    let text = JSONValue.string(hex(message.encodedBytes()))
    return state.withLock { state in
      state.messages.append(text)
      return state.messages.count
    }
  }

  func add(trailers: [(String, String)]) {
    let shown = trailers.map { JSONValue.array([.string($0.0), .string($0.1)]) }
    state.withLock { $0.trailers = shown }
  }
}
