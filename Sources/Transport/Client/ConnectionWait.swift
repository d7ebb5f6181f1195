internal import NIOCore
internal import RPC
internal import Synchronization

/// A call that waits for its connection: until it is there, the deadline passes or the caller cancels.
final class ConnectionWait: Sendable {
  private enum State {
    case waiting(CheckedContinuation<Result<ClientConnection, RPCError>, Never>?)
    case done(Result<ClientConnection, RPCError>)
  }

  private let future: EventLoopFuture<ClientConnection>
  private let deadline: ContinuousClock.Instant?
  private let state = Mutex(State.waiting(nil))

  init(_ future: EventLoopFuture<ClientConnection>, _ deadline: ContinuousClock.Instant?) {
    self.future = future
    self.deadline = deadline
  }

  /// The connection. Every error says that the call was not started.
  func value() async throws(RPCError) -> ClientConnection {
    var timer: Scheduled<Void>?
    if let deadline {
      let left = max(.zero, ContinuousClock.now.duration(to: deadline))
      timer = future.eventLoop.scheduleTask(in: TimeAmount(left)) {
        self.finish(.failure(RPCError(.deadlineExceeded, "no connection before the deadline")))
      }
    }
    future.whenComplete { result in
      switch result {
      case .success(let connection): self.finish(.success(connection))
      case .failure(let error):
        let cause =
          (error as? RPCError) ?? RPCError(.unavailable, "cannot connect").caused(by: error)
        self.finish(.failure(cause))
      }
    }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let done = state.withLock { state -> Result<ClientConnection, RPCError>? in
          if case .done(let result) = state { return result }
          state = .waiting(continuation)
          return nil
        }
        if let done { continuation.resume(returning: done) }
      }
    } onCancel: {
      finish(.failure(RPCError(.cancelled, "the call was cancelled")))
    }
    timer?.cancel()
    do throws(RPCError) {
      return try result.get()
    } catch {
      var unstarted = error
      unstarted.isNotStarted = true
      throw unstarted
    }
  }

  private func finish(_ result: Result<ClientConnection, RPCError>) {
    let continuation = state.withLock {
      state -> CheckedContinuation<Result<ClientConnection, RPCError>, Never>? in
      guard case .waiting(let continuation) = state else { return nil }
      state = .done(result)
      return continuation
    }
    continuation?.resume(returning: result)
  }
}
