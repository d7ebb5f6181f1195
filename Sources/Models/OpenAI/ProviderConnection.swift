import AsyncHTTPClient
import Domain
import NIOCore
import NIOHTTP1
import NIOSSL

/// The HTTP side of one provider: posts JSON and hands back the answer as it comes. One request is
/// one attempt here, with its time limits and sizes; repeats are the caller's concern.
final class ProviderConnection: Sendable {
  private static let errorByteCountMax = 1 << 16

  private let endpoint: ProviderEndpoint
  private let client: HTTPClient
  private let time: any TimeSource

  init(_ endpoint: ProviderEndpoint, time: any TimeSource) {
    self.endpoint = endpoint
    self.time = time
    var configuration = HTTPClient.Configuration(
      // A redirect would take the key and the prompt to somewhere that nobody configured.
      redirectConfiguration: .disallow,
      timeout: .init(connect: TimeAmount(endpoint.timeouts.connect)),
      // An answer's size is what it is counted as.
      decompression: .disabled)
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    configuration.tlsConfiguration = tls
    // With a connection for each call, to end a call is to close its connection.
    configuration.httpVersion = .http1Only
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
      endpoint.concurrentCallMax
    // Retries have one place, and it is not here.
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(configuration: configuration)
  }

  deinit {
    // Keeps itself alive until its connections are closed; nobody is left to hear of an error.
    client.shutdown { _ in }
  }

  /// Posts `body` and waits for the head of the answer. Any other status than 200 is thrown as what
  /// it means.
  func post(
    _ path: String, body: [UInt8], accept: String, until end: ContinuousClock.Instant
  ) async throws(ProviderFailure) -> ProviderAnswer {
    var request = HTTPClientRequest(url: endpoint.url(path))
    request.method = .POST
    request.headers = [
      "content-type": "application/json", "accept": accept, "user-agent": "hito",
    ]
    if let key = endpoint.key {
      request.headers.add(name: "authorization", value: key.authorization)
    }
    request.body = .bytes(body)
    let answer = try await head(of: request, until: end)
    guard answer.status != 200 else { return answer }
    let body = (try? await answer.whole(byteCountMax: Self.errorByteCountMax)) ?? []
    if Task.isCancelled { throw .cancelled }
    let retryAfter = answer.retryAfter.flatMap { RetryAfter.duration($0, now: time.now()) }
    throw ProviderErrorReply.failure(status: answer.status, body: body, retryAfter: retryAfter)
  }

  private func head(
    of request: HTTPClientRequest, until end: ContinuousClock.Instant
  ) async throws(ProviderFailure) -> ProviderAnswer {
    let left = ContinuousClock.now.duration(to: end)
    guard left > .zero else { throw .timedOut }
    let limit = min(endpoint.timeouts.firstByte, left)
    let head = await withTimeLimit(limit) { [client] in
      await Result { try await client.execute(request, deadline: .distantFuture) }
    }
    switch head.value {
    case .success(let response):
      return ProviderAnswer(response, idle: endpoint.timeouts.idle, end: end)
    case .failure:
      if Task.isCancelled { throw .cancelled }
      guard head.isLate else { throw .unreachable }
      throw limit < endpoint.timeouts.firstByte ? .timedOut : .slow
    }
  }
}

/// The answer to one request. Its body is read once, by one task.
struct ProviderAnswer: Sendable {
  let status: Int
  let retryAfter: String?
  let isEventStream: Bool
  private let body: BodyReader
  private let idle: Duration
  private let end: ContinuousClock.Instant

  init(_ response: HTTPClientResponse, idle: Duration, end: ContinuousClock.Instant) {
    status = Int(response.status.code)
    retryAfter = response.headers.first(name: "retry-after")
    isEventStream =
      response.headers.first(name: "content-type")?.lowercased().hasPrefix("text/event-stream")
      ?? false
    body = BodyReader(response.body.makeAsyncIterator())
    self.idle = idle
    self.end = end
  }

  /// The next piece of the body; nil at its end. Waits no longer than the idle limit, which does
  /// not count what the reader does between two pieces.
  func next() async throws(ProviderFailure) -> [UInt8]? {
    let left = ContinuousClock.now.duration(to: end)
    guard left > .zero else { throw .timedOut }
    let limit = min(idle, left)
    let next = await withTimeLimit(limit) { [body] in await Result { try await body.next() } }
    if Task.isCancelled { throw .cancelled }
    // A body that ends because its time was up is no end.
    if next.isLate { throw limit < idle ? .timedOut : .slow }
    switch next.value {
    case .success(let buffer): return buffer.map { Array($0.readableBytesView) }
    case .failure: throw .cut
    }
  }

  /// The whole body.
  func whole(byteCountMax: Int) async throws(ProviderFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    while let more = try await next() {
      guard bytes.count + more.count <= byteCountMax else { throw .tooLarge }
      bytes += more
    }
    return bytes
  }
}

// Unchecked: an answer is read by one task (see `ProviderAnswer`), which waits for each `next` to
// return before it makes another; the child task that the call runs in has ended by then.
private final class BodyReader: @unchecked Sendable {
  private var iterator: HTTPClientResponse.Body.AsyncIterator

  init(_ iterator: HTTPClientResponse.Body.AsyncIterator) {
    self.iterator = iterator
  }

  func next() async throws -> ByteBuffer? { try await iterator.next() }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

extension TimeAmount {
  fileprivate init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }
}
