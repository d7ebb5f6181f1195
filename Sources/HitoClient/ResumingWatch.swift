/// A subscription that outlives its connection: it reconnects and continues after the last response,
/// so nothing is skipped and nothing comes twice.
///
/// Ends with an error only when trying again would not help (a revoked token, a bad filter, a
/// certificate that is not trusted, a closed client) or when the task is cancelled. One iteration, by
/// one task.
public struct ResumingWatch: AsyncSequence, Sendable {
  public typealias Element = WatchResponse
  public typealias Failure = RPCError

  private let client: HitoClient
  private let request: WatchRequest
  private let options: WatchOptions

  init(_ client: HitoClient, _ request: WatchRequest, _ options: WatchOptions) {
    self.client = client
    self.request = request
    self.options = options
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(client: client, request: request, options: options)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let client: HitoClient
    private let request: WatchRequest
    private let options: WatchOptions
    private var stream: ResumedStream<WatchResponse>

    fileprivate init(client: HitoClient, request: WatchRequest, options: WatchOptions) {
      self.client = client
      self.request = request
      self.options = options
      var start: String?
      if case .afterCursor(let cursor) = request.start { start = cursor }
      stream = ResumedStream(client, ProgressServiceMethods.watch, options, cursor: start)
    }

    /// Where it stands: keep it to continue in another process (`start = .afterCursor`).
    public var cursor: String? { stream.cursor }

    /// How often the stream broke and was taken up again.
    public var interruptionCount: Int { stream.interruptionCount }

    public mutating func next() async throws(RPCError) -> WatchResponse? {
      let (client, first, call) = (client, request, options.call)
      return try await stream.next(
        cursor: \.cursor,
        open: { (cursor) async throws(RPCError) in
          var request = first
          if let cursor { request.start = .afterCursor(cursor) }
          return try await client.progress.watch(request, options: call)
        })
    }
  }
}

/// How a `ResumingWatch` or a `ResumingValidation` behaves.
public struct WatchOptions: Sendable {
  /// Of each stream that it opens.
  public var call = CallOptions()
  /// Whether a server that cannot be reached at the very first is an error, and not waited for.
  public var givesUpAtFirst = false
  /// Called when the stream broke and is about to be taken up again; nil where the server ended it in
  /// order.
  public var onInterruption: (@Sendable (RPCError?) -> Void)?

  public init() {}
}

extension HitoClient {
  /// Watches events, and continues by itself when the connection or the server is gone for a while.
  public func watch(
    _ request: WatchRequest, options: WatchOptions = WatchOptions()
  ) -> ResumingWatch {
    ResumingWatch(self, request, options)
  }
}
