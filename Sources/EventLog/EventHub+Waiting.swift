internal import Synchronization

extension EventHub {
  package func wait(after position: Int64) async {
    _ = await next(after: position, keys: [.any], due: nil, limit: 0)
  }

  /// What comes next after `position` that may concern who waits: at once where the ring has more;
  /// else when an event concerns it, at the position `due`, when the hub drains, or when the task is
  /// cancelled.
  ///
  /// Who is woken by an event is given it, with what came together with it: nobody asks again for what
  /// one publisher has in its hand.
  ///
  /// - Parameter limit: most events that are taken at once; those that come together may be more.
  package func next(
    after position: Int64, for interest: InterestKeys, due: Int64, limit: Int
  ) async -> Next {
    await next(after: position, keys: interest.keys, due: due, limit: limit)
  }

  private func next(
    after position: Int64, keys: [InterestKey], due: Int64?, limit: Int
  ) async -> Next {
    let id = lastWaiter.add(1, ordering: .relaxed).newValue
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let next: Next? = state.withLock { state in
          let hasMore = state.head.map { $0 > position } ?? false
          // Cancelled is asked inside the lock: the handler below runs either before, and is seen
          // here, or after, and finds the waiter.
          guard hasMore || state.isDraining || Task.isCancelled else {
            state.waiters.insert(continuation, id: id, keys: keys, due: due)
            return nil
          }
          return Next(
            quietThrough: position,
            take: state.isDraining ? .empty : state.take(after: position, limit: limit))
        }
        if let next { continuation.resume(returning: next) }
      }
    } onCancel: {
      let (waiter, next) = state.withLock { state in
        (
          state.waiters.remove(id),
          Next(
            quietThrough: max(position, state.head ?? position), take: .empty)
        )
      }
      waiter?.resume(returning: next)
    }
  }
}
