import Contract
import Domain
import RPC
import Service
import Synchronization

/// A subscription of a test: reads messages one at a time, as slowly as the test likes.
final class WatchProbe: Sendable {
  private let stream: ProbeStream
  private let task: Task<RPCError?, Never>

  init(
    _ fixture: ServiceFixture, _ request: WatchRequest, as user: Domain.User?, credit: Int = .max,
    tokenID: String? = nil
  ) {
    let stream = ProbeStream(request, credit: credit)
    self.stream = stream
    let context = fixture.context(
      ProgressServiceMethods.watch, as: user, deadline: nil, tokenID: tokenID)
    let route = fixture.router[ProgressServiceMethods.watch.path]
    task = Task {
      guard case .streaming(let body)? = route?.body else {
        return RPCError(.internal, "no such stream")
      }
      do {
        try await body(stream, context)
        stream.end()
        return nil
      } catch {
        stream.end()
        return RPCError(fromHandler: error)
      }
    }
  }

  /// The next message; nil when the call has ended.
  func next() async throws -> WatchResponse? {
    guard let bytes = await stream.nextWritten() else { return nil }
    return try WatchResponse.decode(bytes)
  }

  /// Messages until the mark, without it.
  func events(until mark: SubscriptionMark) async throws -> [Contract.Event] {
    var events: [Contract.Event] = []
    while let message = try await next() {
      switch message.step {
      case .event(let event): events.append(event)
      case .mark(mark): return events
      default: continue
      }
    }
    return events
  }

  /// The next `count` events, whatever marks come between.
  func events(_ count: Int) async throws -> [Contract.Event] {
    var events: [Contract.Event] = []
    while events.count < count, let message = try await next() {
      if case .event(let event) = message.step { events.append(event) }
    }
    return events
  }

  /// Returns when the handler waits for credit.
  func blocked() async {
    while !stream.isBlocked { await Task.yield() }
  }

  /// Lets the handler send so many more messages.
  func grant(_ count: Int) { stream.grant(count) }

  /// How the call ended.
  func end() async -> RPCError? { await task.value }

  func cancel() { task.cancel() }
}

/// The server's side of a stream without a network: writes wait for credit, reads for writes.
final class ProbeStream: ServerStream {
  private struct State {
    var request: [UInt8]?
    var credit: Int
    var written: [[UInt8]] = []
    var hasEnded = false
    var writer: CheckedContinuation<Void, Never>?
    var reader: CheckedContinuation<Void, Never>?

    mutating func takeCredit() -> Bool {
      guard credit > 0 else { return false }
      if credit != .max { credit -= 1 }
      return true
    }
  }

  private let state: Mutex<State>

  init(_ request: any WireMessage, credit: Int) {
    state = Mutex(State(request: request.encodedBytes(), credit: credit))
  }

  func nextRequest<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message? {
    let bytes = state.withLock { state in
      defer { state.request = nil }
      return state.request
    }
    guard let bytes else { return nil }
    do throws(DecodeError) {
      return try Message.decode(bytes)
    } catch {
      throw RPCError(fromHandler: error)
    }
  }

  func write<Message: WireMessage>(
    _ message: Message, resumeCursor: String?
  ) async throws(RPCError) {
    let bytes = message.encodedBytes()
    while !state.withLock({ $0.takeCredit() }) {
      if Task.isCancelled { throw RPCError(.cancelled, "the client went away") }
      await wait(\.writer) { $0.credit > 0 }
    }
    state.withLock { state in
      state.written.append(bytes)
      defer { state.reader = nil }
      return state.reader
    }?.resume()
  }

  func offer(_ message: [UInt8], resumeCursor: String?) async throws(RPCError) -> Bool {
    guard state.withLock({ $0.takeCredit() }) else { return false }
    state.withLock { state in
      state.written.append(message)
      defer { state.reader = nil }
      return state.reader
    }?.resume()
    return true
  }

  /// Whether the handler waits for credit.
  var isBlocked: Bool { state.withLock { $0.writer != nil } }

  func nextWritten() async -> [UInt8]? {
    while true {
      let (bytes, hasEnded) = state.withLock { state -> ([UInt8]?, Bool) in
        state.written.isEmpty ? (nil, state.hasEnded) : (state.written.removeFirst(), false)
      }
      if bytes != nil || hasEnded { return bytes }
      await wait(\.reader) { !$0.written.isEmpty || $0.hasEnded }
    }
  }

  func grant(_ count: Int) {
    state.withLock { state in
      state.credit += count
      defer { state.writer = nil }
      return state.writer
    }?.resume()
  }

  func end() {
    state.withLock { state in
      state.hasEnded = true
      defer { state.reader = nil }
      return state.reader
    }?.resume()
  }

  private func wait(
    _ slot: any WritableKeyPath<State, CheckedContinuation<Void, Never>?> & Sendable,
    until isDue: @Sendable (borrowing State) -> Bool
  ) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isNow = state.withLock { state in
          if isDue(state) || Task.isCancelled { return true }
          state[keyPath: slot] = continuation
          return false
        }
        if isNow { continuation.resume() }
      }
    } onCancel: {
      state.withLock { state in
        defer { state[keyPath: slot] = nil }
        return state[keyPath: slot]
      }?.resume()
    }
  }
}
