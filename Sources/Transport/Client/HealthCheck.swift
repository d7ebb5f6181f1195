package import RPC
internal import Synchronization
internal import Wire

/// How a client asks a server whether it serves; this layer knows no messages.
package struct HealthProbe: Sendable {
  package let method: MethodDescriptor
  package let request: [UInt8]
  /// Whether a response says so; nil where it does not decode.
  package let isServing: @Sendable ([UInt8]) -> Bool?

  package init(
    method: MethodDescriptor, request: [UInt8], isServing: @escaping @Sendable ([UInt8]) -> Bool?
  ) {
    self.method = method
    self.request = request
    self.isServing = isServing
  }
}

/// Listens to what the server of one connection says of itself. A server counts as one that serves until it says
/// otherwise, and again when it says no more.
final class HealthCheck: Sendable {
  private struct State {
    var call: ClientCall?
    var task: Task<Void, Never>?
    var isCancelled = false
  }

  private let probe: HealthProbe
  private let connection: ClientConnection
  private let tell: @Sendable (Bool) -> Void
  private let place: @Sendable () -> Bool
  private let state = Mutex(State())

  /// - Parameter place: takes a place for a call on the connection; false where there is none.
  init(
    _ probe: HealthProbe, _ connection: ClientConnection,
    _ tell: @escaping @Sendable (Bool) -> Void, place: @escaping @Sendable () -> Bool
  ) {
    self.probe = probe
    self.connection = connection
    self.tell = tell
    self.place = place
  }

  func start() {
    state.withLock { state in
      if !state.isCancelled { state.task = Task { await self.run() } }
    }
  }

  func cancel() {
    let (call, task) = state.withLock { state in
      state.isCancelled = true
      defer { state.task = nil }
      return (state.call, state.task)
    }
    task?.cancel()
    call?.cancel()
  }

  private func run() async {
    var failureCount = 0
    while !Task.isCancelled {
      if place() {
        let call = ClientCall(
          connection, probe.method, CallOptions(), idempotencyKey: nil, deadline: nil,
          firstMessage: OutgoingMessage(probe.request))
        let isCancelled = state.withLock { state in
          state.call = call
          return state.isCancelled
        }
        call.start()
        if isCancelled { call.cancel() }
        let (error, hasSaid) = await listen(to: call)
        // After it was cancelled who asks next says how the server is.
        if Task.isCancelled { return }
        tell(true)
        // A server that does not have the method is not asked again.
        guard error.map({ $0.code == .unavailable || $0.code == .resourceExhausted }) ?? true
        else { return }
        if hasSaid { failureCount = 0 }
      }
      failureCount += 1
      let wait = connection.configuration.retry.backoff(
        beforeRetry: failureCount, jitter: .random(in: 0...1))
      try? await Task.sleep(for: wait)
    }
  }

  private func listen(to call: ClientCall) async -> (RPCError?, Bool) {
    var hasSaid = false
    do throws(RPCError) {
      while let isServing = try await call.next({ bytes, isCompressed in
        isCompressed ? nil : probe.isServing(Array(bytes))
      }) {
        hasSaid = true
        tell(isServing ?? true)
      }
      return (nil, hasSaid)
    } catch {
      return (error, hasSaid)
    }
  }
}
