internal import CCurl
internal import Synchronization

/// One request and what came of its answer, between the loop's thread, which brings it, and the one
/// task that reads it.
final class HTTPTransfer: Sendable {
  private let request: HTTPRequest
  private let loop: HTTPLoop
  private let unreadByteCountMax: Int
  private let state: Mutex<State>

  private struct State {
    var head: HTTPHead
    var isHeadWhole = false
    /// What nobody has read yet.
    var pieces: [[UInt8]] = []
    var unreadByteCount = 0
    /// The peer waits until the reader has caught up.
    var isPaused = false
    /// Nil while the transfer lasts; then how it ended.
    var end: Result<Void, HTTPError>?
    /// The reader, while it waits.
    var waiter: CheckedContinuation<Void, Never>?

    var hasNews: Bool { end != nil || !pieces.isEmpty }

    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
      defer { waiter = nil }
      return waiter
    }
  }

  init(_ request: HTTPRequest, loop: HTTPLoop, headByteCountMax: Int, unreadByteCountMax: Int) {
    self.request = request
    self.loop = loop
    self.unreadByteCountMax = unreadByteCountMax
    state = Mutex(State(head: HTTPHead(byteCountMax: headByteCountMax)))
  }

  // MARK: For the reader

  func head() async throws(HTTPError) -> HTTPHead {
    try await wait { $0.isHeadWhole || $0.end != nil }
    return try state.withLock { (state) throws(HTTPError) in
      if state.isHeadWhole { return state.head }
      try state.end?.get()
      // An end without a head is not an answer.
      throw .broken
    }
  }

  func nextPiece() async throws(HTTPError) -> [UInt8]? {
    try await wait(until: \.hasNews)
    let (piece, resumes) = try state.withLock { (state) throws(HTTPError) -> ([UInt8]?, Bool) in
      guard let piece = state.pieces.first else {
        try state.end?.get()
        return (nil, false)
      }
      state.pieces.removeFirst()
      state.unreadByteCount -= piece.count
      let resumes = state.isPaused && state.pieces.isEmpty
      if resumes { state.isPaused = false }
      return (piece, resumes)
    }
    if resumes { loop.resume(self) }
    return piece
  }

  private func wait(until isReady: @Sendable (State) -> Bool) async throws(HTTPError) {
    await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        let mustWait = state.withLock { state in
          if isReady(state) { return false }
          state.waiter = continuation
          return true
        }
        if !mustWait { continuation.resume() }
      }
    } onCancel: {
      loop.end(self)
    }
    if Task.isCancelled { throw .cancelled }
  }

  // MARK: For the loop's thread

  /// Makes libcurl's side of it, which the loop frees. `transfer` must outlive it.
  func makeHandle(
    connectTimeout: Duration, authorityFile: String?
  ) throws(HTTPError) -> HTTPTransferHandle {
    guard request.isSendable else { throw .invalidRequest }
    let handle = withCallbacks { callbacks in
      HTTPTransferHandle(
        request, callbacks, context: Unmanaged.passUnretained(self).toOpaque(),
        connectTimeout: connectTimeout, authorityFile: authorityFile)
    }
    guard let handle else { throw .invalidRequest }
    return handle
  }

  private func receivedHeader(_ line: UnsafeRawBufferPointer) -> Int32 {
    let (isRefused, waiter) = state.withLock { state in
      // Trailers come after the body, and nobody asks for them.
      if state.isHeadWhole { return (false, nil) as (Bool, CheckedContinuation<Void, Never>?) }
      switch state.head.received(line) {
      case .readOn: return (false, nil)
      case .isWhole:
        state.isHeadWhole = true
        return (false, state.takeWaiter())
      case .tooLarge:
        state.end = .failure(.headTooLarge)
        return (true, state.takeWaiter())
      case .malformed:
        state.end = .failure(.broken)
        return (true, state.takeWaiter())
      }
    }
    waiter?.resume()
    return isRefused ? Self.endsTransfer : 0
  }

  private func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    if bytes.isEmpty { return 0 }
    let (isTaken, waiter) = state.withLock { state in
      guard state.unreadByteCount + bytes.count <= unreadByteCountMax || state.pieces.isEmpty
      else {
        state.isPaused = true
        return (false, nil) as (Bool, CheckedContinuation<Void, Never>?)
      }
      state.pieces.append(Array(bytes))
      state.unreadByteCount += bytes.count
      return (true, state.takeWaiter())
    }
    waiter?.resume()
    return isTaken ? 0 : 1
  }

  /// It is over; what has been received can still be read. The first end counts.
  func ended(_ result: Result<Void, HTTPError>) {
    let waiter = state.withLock { state in
      if state.end == nil { state.end = result }
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  private func withCallbacks<Output>(
    _ body: (UnsafePointer<hito_http_callbacks>) -> Output
  ) -> Output {
    let callbacks = hito_http_callbacks(
      header: { context, bytes, count in
        HTTPTransfer.of(context)?.receivedHeader(
          UnsafeRawBufferPointer(start: bytes, count: count)) ?? HTTPTransfer.endsTransfer
      },
      body: { context, bytes, count in
        HTTPTransfer.of(context)?.receivedBody(
          UnsafeRawBufferPointer(start: bytes, count: count)) ?? HTTPTransfer.endsTransfer
      })
    return withUnsafePointer(to: callbacks, body)
  }

  /// What a callback answers to end its transfer: neither "taken" nor "not now".
  private static let endsTransfer: Int32 = 2

  /// The transfer behind a callback's context: the loop keeps it until its handle is freed.
  static func of(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer? {
    context.map { Unmanaged<HTTPTransfer>.fromOpaque($0).takeUnretainedValue() }
  }
}

/// libcurl's side of a transfer. Whoever holds it frees it, on the loop's thread.
///
/// Unchecked: it goes from the task that makes it to the loop's thread, and only one of them has it.
struct HTTPTransferHandle: @unchecked Sendable {
  let pointer: OpaquePointer

  fileprivate init?(
    _ request: HTTPRequest, _ callbacks: UnsafePointer<hito_http_callbacks>,
    context: UnsafeMutableRawPointer, connectTimeout: Duration, authorityFile: String?
  ) {
    let milliseconds =
      Int(connectTimeout.components.seconds) * 1000
      + Int(connectTimeout.components.attoseconds / 1_000_000_000_000_000)
    var made: OpaquePointer?
    request.method.withCString { method in
      request.url.withCString { url in
        request.body.withUnsafeBytes { body in
          withOptionalCString(authorityFile) { authority in
            var parts = hito_http_request(
              method: method, url: url, body: body.baseAddress, body_size: body.count,
              connect_timeout_ms: max(1, milliseconds), authority_file: authority,
              is_direct: HTTPProxy.isOwnAddress(request.url) ? 1 : 0)
            made = hito_http_transfer_take(&parts, callbacks, context)
          }
        }
      }
    }
    guard let made else { return nil }
    for (name, value) in request.headers {
      // libcurl takes a header without a value for one to leave out.
      let line = value.isEmpty ? "\(name);" : "\(name): \(value)"
      guard hito_http_transfer_add_header(made, line) == 1 else {
        hito_http_transfer_free(nil, made)
        return nil
      }
    }
    pointer = made
  }
}

/// Ends its transfer when nobody holds the answer any more.
final class HTTPTransferOwner: Sendable {
  let transfer: HTTPTransfer
  private let loop: HTTPLoop
  /// The loop stops with its client.
  private let client: HTTPClient

  init(_ transfer: HTTPTransfer, _ loop: HTTPLoop, _ client: HTTPClient) {
    self.transfer = transfer
    self.loop = loop
    self.client = client
  }

  deinit { loop.end(transfer) }
}

private func withOptionalCString<Output>(
  _ text: String?, _ body: (UnsafePointer<CChar>?) -> Output
) -> Output {
  guard let text else { return body(nil) }
  return text.withCString(body)
}
