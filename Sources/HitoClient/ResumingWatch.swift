internal import Transport

/// A subscription that outlives its connection: it reconnects and goes on behind the last response,
/// so nothing is skipped and nothing comes twice.
///
/// Ends with an error only when trying again would not help (a revoked token, a bad filter, a closed
/// client) or when the task is cancelled. One iteration, by one task.
public struct ResumingWatch: AsyncSequence, Sendable {
  public typealias Element = WatchResponse
  public typealias Failure = RPCError

  private let client: HitoClient
  private let request: WatchRequest

  init(_ client: HitoClient, _ request: WatchRequest) {
    self.client = client
    self.request = request
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(client: client, request: request)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let client: HitoClient
    private var request: WatchRequest
    private var responses: ResponseStream<WatchResponse>.Iterator?
    private var failureCount = 0
    /// How often the stream broke and was taken up again.
    public private(set) var interruptionCount = 0

    fileprivate init(client: HitoClient, request: WatchRequest) {
      self.client = client
      self.request = request
    }

    /// Where it stands: keep it to go on in another process (`start = .afterCursor`).
    public var cursor: String? {
      if case .afterCursor(let cursor) = request.start { cursor } else { nil }
    }

    public mutating func next() async throws(RPCError) -> WatchResponse? {
      while true {
        do throws(RPCError) {
          if let response = try await nextOfStream() {
            if !response.cursor.isEmpty { request.start = .afterCursor(response.cursor) }
            failureCount = 0
            return response
          }
          // A server does not end a subscription by itself; treat it as a break.
        } catch {
          guard error.code == .unavailable || error.code == .resourceExhausted else { throw error }
          if let cursor = error.resumeCursor { request.start = .afterCursor(cursor) }
          if client.isClosed { throw error }
        }
        responses = nil
        interruptionCount += 1
        try await pause()
      }
    }

    private mutating func nextOfStream() async throws(RPCError) -> WatchResponse? {
      if responses == nil {
        responses = try await client.progress.watch(request).makeAsyncIterator()
      }
      return try await responses?.next()
    }

    private mutating func pause() async throws(RPCError) {
      failureCount += 1
      let wait = RetryPolicy().backoff(beforeRetry: failureCount, jitter: .random(in: 0...1))
      do {
        try await _Concurrency.Task.sleep(for: wait)
      } catch {
        throw RPCError(.cancelled, "the watch was cancelled")
      }
    }
  }
}

extension HitoClient {
  /// Watches events, and goes on by itself when the connection or the server is gone for a while.
  public func watch(_ request: WatchRequest) -> ResumingWatch {
    ResumingWatch(self, request)
  }
}
