import Domain
import HTTPClient

/// The HTTP side of one provider: posts JSON and hands back the answer as it comes. One request is
/// one attempt here, with its time limits and sizes; repeats are the caller's concern.
final class ProviderConnection: Sendable {
  private static let errorByteCountMax = 1 << 16

  private let endpoint: ProviderEndpoint
  private let client: HTTPClient
  private let time: any TimeSource

  /// Throws where this process has no thread or memory left for it.
  init(
    _ endpoint: ProviderEndpoint, time: any TimeSource
  ) throws(ModelConfigurationError) {
    self.endpoint = endpoint
    self.time = time
    do throws(HTTPError) {
      client = try HTTPClient(
        HTTPClient.Configuration(
          connectTimeout: endpoint.timeouts.connect, authorityFile: endpoint.authorityFile))
    } catch {
      throw .invalid(setting: "connection", reason: "needs a thread and memory that are not there")
    }
  }

  /// Posts `body` and waits for the head of the answer. Any other status than 200 is thrown as what
  /// it means.
  func post(
    _ path: String, body: [UInt8], accept: String, until end: ContinuousClock.Instant
  ) async throws(ProviderFailure) -> ProviderAnswer {
    var request = HTTPRequest(
      "POST", endpoint.url(path),
      headers: [
        ("content-type", "application/json"), ("accept", accept), ("user-agent", "hito"),
      ], body: body)
    if let key = endpoint.key { request.headers.append(("authorization", key.authorization)) }
    let answer = try await head(of: request, until: end)
    guard answer.status != 200 else { return answer }
    let body = (try? await answer.whole(byteCountMax: Self.errorByteCountMax)) ?? []
    if Task.isCancelled { throw .cancelled }
    let retryAfter = answer.retryAfter.flatMap { RetryAfter.duration($0, now: time.now()) }
    throw ProviderErrorReply.failure(status: answer.status, body: body, retryAfter: retryAfter)
  }

  private func head(
    of request: HTTPRequest, until end: ContinuousClock.Instant
  ) async throws(ProviderFailure) -> ProviderAnswer {
    let left = ContinuousClock.now.duration(to: end)
    guard left > .zero else { throw .timedOut }
    let limit = min(endpoint.timeouts.firstByte, left)
    let head = await withTimeLimit(limit) { [client] in
      await Result { () async throws(HTTPError) in try await client.send(request) }
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
  private let answer: HTTPAnswer
  private let idle: Duration
  private let end: ContinuousClock.Instant

  init(_ answer: HTTPAnswer, idle: Duration, end: ContinuousClock.Instant) {
    self.answer = answer
    status = answer.status
    retryAfter = answer.header("retry-after")
    isEventStream =
      answer.header("content-type")?.lowercased().hasPrefix("text/event-stream") ?? false
    self.idle = idle
    self.end = end
  }

  /// Whether a body is a stream of events that is not called one.
  static func looksLikeEventStream(_ body: [UInt8]) -> Bool {
    let start = body.drop { $0 <= 0x20 }
    return ["data:", "event:", "id:", "retry:", ":"].contains { start.starts(with: $0.utf8) }
  }

  /// The next piece of the body; nil at its end. Waits no longer than the idle limit, which does
  /// not count what the reader does between two pieces.
  func next() async throws(ProviderFailure) -> [UInt8]? {
    let left = ContinuousClock.now.duration(to: end)
    guard left > .zero else { throw .timedOut }
    let limit = min(idle, left)
    let next = await withTimeLimit(limit) { [answer] in
      await Result { () async throws(HTTPError) in try await answer.next() }
    }
    if Task.isCancelled { throw .cancelled }
    // A body that ends because its time was up is not its end.
    if next.isLate { throw limit < idle ? .timedOut : .slow }
    switch next.value {
    case .success(let piece): return piece
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

extension Result where Success: Sendable {
  fileprivate init(_ body: () async throws(Failure) -> Success) async {
    do throws(Failure) { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
