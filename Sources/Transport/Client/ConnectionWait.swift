internal import NIOCore
internal import RPC
internal import Synchronization
internal import Wire

/// A call that waits for its connection: until it is there, the deadline passes or the caller cancels.
final class ConnectionWait: Sendable {
  private typealias Continuation = CheckedContinuation<Result<ClientConnection, RPCError>, Never>

  private enum State {
    case waiting(Continuation?)
    case done(Result<ClientConnection, RPCError>)
  }

  private let state = Mutex(State.waiting(nil))
  private let want: Mutex<PoolMachine.Want>

  init(_ want: PoolMachine.Want) {
    self.want = Mutex(want)
  }

  func withWant<Result>(_ body: (inout PoolMachine.Want) -> Result) -> Result {
    want.withLock { body(&$0) }
  }

  var isDone: Bool { state.withLock { if case .done = $0 { true } else { false } } }

  /// The connection. Every error says that the call was not started.
  func value(
    until deadline: Moment?, on loop: any EventLoop
  ) async throws(RPCError) -> ClientConnection {
    var timer: Scheduled<Void>?
    if let deadline {
      let left = max(.zero, Moment.now.duration(to: deadline))
      timer = loop.scheduleTask(in: TimeAmount(left)) {
        _ = self.finish(.failure(RPCError(.deadlineExceeded, "no connection before the deadline")))
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

  /// False where it had ended already.
  @discardableResult
  func finish(_ result: Result<ClientConnection, RPCError>) -> Bool {
    let (isFirst, continuation) = state.withLock { state -> (Bool, Continuation?) in
      guard case .waiting(let continuation) = state else { return (false, nil) }
      state = .done(result)
      return (true, continuation)
    }
    continuation?.resume(returning: result)
    return isFirst
  }
}
