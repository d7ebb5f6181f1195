import Contract
import Domain
import RPC
import Synchronization

/// The client's side of a call with a request stream.
final class RequestFeed: ServerStream {
  private struct State {
    var requests: [[UInt8]]
    var failure: RPCError?
    var responses: [[UInt8]] = []
  }

  private let state: Mutex<State>

  /// - Parameter failure: how the stream ends after its last request; nil for a half-close.
  init(_ requests: [some WireMessage], failure: RPCError? = nil) {
    state = Mutex(State(requests: requests.map { $0.encodedBytes() }, failure: failure))
  }

  func nextRequest<Message: WireMessage>(
    as type: Message.Type
  ) async throws(RPCError) -> Message? {
    let (bytes, failure) = state.withLock { state in
      (state.requests.isEmpty ? nil : state.requests.removeFirst(), state.failure)
    }
    guard let bytes else {
      if let failure { throw failure }
      return nil
    }
    do {
      return try Message.decode(bytes)
    } catch {
      throw RPCError(fromHandler: error)
    }
  }

  func write<Message: WireMessage>(
    _ message: Message, resumeCursor: String?
  ) async throws(RPCError) {
    state.withLock { $0.responses.append(message.encodedBytes()) }
  }

  func offer(_ message: [UInt8], resumeCursor: String?) async throws(RPCError) -> Bool {
    state.withLock { $0.responses.append(message) }
    return true
  }

  var responses: [[UInt8]] { state.withLock { $0.responses } }
}

extension ServiceFixture {
  /// Brings documents, by path, into a course. `failure` breaks the stream after the last.
  func ingest(
    _ documents: [(path: String, text: String)], into course: Contract.Course,
    replaceAll: Bool = false, as user: Domain.User, key: String? = nil, failure: RPCError? = nil
  ) async throws -> IngestDocumentsResponse {
    let start = IngestStart(courseId: course.id, replaceAll: replaceAll)
    return try await ingest(
      [IngestDocumentsRequest(step: .start(start))]
        + documents.map { document in
          IngestDocumentsRequest(
            step: .document(
              Contract.CourseDocument(path: document.path, content: Array(document.text.utf8))))
        }, as: user, key: key, failure: failure)
  }

  func ingest(
    _ requests: [IngestDocumentsRequest], as user: Domain.User, key: String? = nil,
    failure: RPCError? = nil
  ) async throws -> IngestDocumentsResponse {
    let method = CourseServiceMethods.ingestDocuments
    guard case .streaming(let body)? = router[method.path]?.body else {
      throw RPCError(.internal, "no such stream")
    }
    let feed = RequestFeed(requests, failure: failure)
    do {
      try await body(feed, context(method, as: user, key: key))
    } catch {
      throw RPCError(fromHandler: error)
    }
    return try IngestDocumentsResponse.decode(feed.responses.first ?? [])
  }

  func documents(
    of course: Contract.Course, as user: Domain.User, page: Contract.PageRequest? = nil
  ) async throws -> ListDocumentsResponse {
    try await call(
      CourseServiceMethods.listDocuments, ListDocumentsRequest(courseId: course.id, page: page),
      as: user)
  }
}
