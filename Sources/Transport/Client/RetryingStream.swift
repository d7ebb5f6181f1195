internal import RPC
internal import Synchronization

/// A stream of responses to one request, opened again until its first response where that is safe:
/// the caller has seen nothing of it then.
final class RetryingStream: ClientStream {
  typealias Opening = @Sendable () async throws(RPCError) -> ClientCallHandle
  private typealias Reopening = Task<Result<(ClientCallHandle, RetryMachine), RPCError>, Never>

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
  private let state: Mutex<State>

  init(
    _ call: ClientCallHandle, _ retries: RetryMachine, _ transport: HitoTransport,
    _ open: @escaping Opening
  ) {
    self.transport = transport
    self.open = open
    state = Mutex(State(call: call, retries: retries))
  }

  private var call: ClientCallHandle { state.withLock { $0.call } }

  func nextResponse<Message: WireMessage>(
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
    let reopening = Reopening { [transport, open] in
      var retries = before
      do throws(RPCError) {
        return .success((try await transport.repeating(&retries, after: error, open), retries))
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
  }

  // The request is whole: the call refuses more.

  func send(_ message: any WireMessage) async throws(RPCError) { try await call.send(message) }

  func finishSending() async throws(RPCError) { try await call.finishSending() }

  var resumeCursor: String? { call.resumeCursor }

  var responseMetadata: ResponseMetadata { call.responseMetadata }
}
