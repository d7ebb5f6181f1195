internal import RPC
internal import Synchronization

/// A stream of responses to one request, opened again until its first response where that is safe:
/// the caller has seen nothing of it then.
final class RetryingStream: ClientStream {
  typealias Opening = @Sendable () async throws(RPCError) -> ClientCallHandle
  private typealias Reopening = Task<Result<(ClientCallHandle, RetryMachine), RPCError>, Never>

  /// A stream that has begun, and what it takes to begin it again.
  struct Opened {
    let call: ClientCallHandle
    let retries: RetryMachine
    let token: CallToken
    let log: CallLog?
    let open: Opening
  }

  private struct State {
    var call: ClientCallHandle
    var retries: RetryMachine
    /// Waits for the time of the next attempt, and makes it.
    var reopening: Reopening?
    /// Whether a response has come, or the caller has cancelled.
    var isSettled = false
  }

  private let transport: HitoTransport
  private let open: Opening
  private let token: CallToken
  private let log: CallLog?
  private let state: Mutex<State>

  init(_ opened: Opened, _ transport: HitoTransport) {
    self.transport = transport
    open = opened.open
    token = opened.token
    log = opened.log
    state = Mutex(State(call: opened.call, retries: opened.retries))
  }

  deinit { log?.left() }

  private var call: ClientCallHandle { state.withLock { $0.call } }

  func nextResponse<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message? {
    do throws(RPCError) {
      let response = try await response(as: type)
      if response == nil { log?.ended(nil) }
      return response
    } catch {
      log?.ended(error)
      throw error
    }
  }

  private func response<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message? {
    while true {
      do throws(RPCError) {
        let response = try await call.nextResponse(as: type)
        state.withLock { $0.isSettled = true }
        return response
      } catch {
        try await reopen(after: error)
      }
    }
  }

  /// Throws `error`, or what came after it, where there is no further attempt.
  private func reopen(after error: RPCError) async throws(RPCError) {
    let (isSettled, before) = state.withLock { ($0.isSettled, $0.retries) }
    if isSettled { throw error }
    // One whose token is refused is no failure that counts.
    let failure = token.repeats(after: error) ? nil : error
    let reopening = Reopening { [transport, open, log] in
      var retries = before
      do throws(RPCError) {
        let call = try await transport.repeating(&retries, log, after: failure, open)
        return .success((call, retries))
      } catch {
        return .failure(error)
      }
    }
    state.withLock { state in
      state.reopening = reopening
      if state.isSettled { reopening.cancel() }
    }
    let result = await withTaskCancellationHandler {
      await reopening.value
    } onCancel: {
      reopening.cancel()
    }
    let (call, retries) = try result.get()
    let isCancelled = state.withLock { state in
      state.call = call
      state.retries = retries
      state.reopening = nil
      return state.isSettled
    }
    if isCancelled { call.cancel() }
  }

  func cancel() {
    let (call, reopening) = state.withLock { state in
      state.isSettled = true
      return (state.call, state.reopening)
    }
    reopening?.cancel()
    call.cancel()
    log?.left()
  }

  // The request is whole: the call refuses more.

  func send(_ message: any WireMessage) async throws(RPCError) { try await call.send(message) }

  func finishSending() async throws(RPCError) { try await call.finishSending() }

  var resumeCursor: String? { call.resumeCursor }

  var responseMetadata: ResponseMetadata { call.responseMetadata }
}
