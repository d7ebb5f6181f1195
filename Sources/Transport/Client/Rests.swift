internal import RPC
internal import Synchronization

/// The waits between attempts: they end with their time, their task or their client.
final class Rests: Sendable {
  /// Why a wait ended.
  enum End: Sendable {
    case time, cancelled, closed
  }

  private struct State {
    var isClosed = false
    var last = 0
    var tasks: [Int: Task<Void, any Error>] = [:]
  }

  private let state = Mutex(State())

  func rest(for time: Duration) async throws(RPCError) {
    switch await wait(for: time) {
    case .time: return
    case .cancelled: throw RPCError(.cancelled, "the call was cancelled")
    case .closed: throw RPCError(.unavailable, "the client is closed")
    }
  }

  func wait(for time: Duration) async -> End {
    let task = Task { try await Task.sleep(for: time) }
    let number = state.withLock { state -> Int in
      state.last += 1
      state.tasks[state.last] = task
      if state.isClosed { task.cancel() }
      return state.last
    }
    let result = await withTaskCancellationHandler {
      await task.result
    } onCancel: {
      task.cancel()
    }
    let isClosed = state.withLock { state in
      state.tasks[number] = nil
      return state.isClosed
    }
    guard case .failure = result else { return .time }
    return isClosed ? .closed : .cancelled
  }

  func close() {
    let tasks = state.withLock { state in
      state.isClosed = true
      return Array(state.tasks.values)
    }
    for task in tasks { task.cancel() }
  }
}
