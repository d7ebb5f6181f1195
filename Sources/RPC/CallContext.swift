internal import Synchronization
package import Wire

/// What a handler knows about its call besides the request. Cheap to copy.
package struct CallContext: Sendable {
  private let storage: Storage

  package init(
    method: MethodDescriptor, deadline: Moment? = nil,
    principal: Principal? = nil, idempotencyKey: String? = nil,
    metadata: [(String, String)] = [], binaryMetadata: [(String, [UInt8])] = [],
    traceparent: String? = nil, connectionID: UInt64 = 0,
    streamID: UInt32 = 0, requestBytes: [UInt8] = [], peer: String = ""
  ) {
    storage = Storage(
      method: method, deadline: deadline, principal: principal,
      idempotencyKey: idempotencyKey,
      metadata: metadata, binaryMetadata: binaryMetadata, traceparent: traceparent,
      connectionID: connectionID,
      streamID: streamID, requestBytes: requestBytes, peer: peer)
  }

  package var method: MethodDescriptor { storage.method }
  /// When the call ends with DEADLINE_EXCEEDED; nil for streams without a limit.
  package var deadline: ContinuousClock.Instant? { storage.deadline?.instant }
  /// The caller; nil only in methods that everybody may call.
  package var principal: Principal? { storage.principal }
  /// The caller's key for exactly-once effects.
  package var idempotencyKey: String? { storage.idempotencyKey }
  package var metadata: [(String, String)] { storage.metadata }
  /// Metadata whose keys end with `-bin`; from clients of minor version 1 on.
  package var binaryMetadata: [(String, [UInt8])] { storage.binaryMetadata }
  /// W3C trace context: that of the call's own span where there is one, else what the client sent, whatever that is.
  package var traceparent: String? { storage.ownTrace.withLock { $0 } ?? storage.traceparent }
  /// What the client sent.
  package var clientTraceparent: String? { storage.traceparent }

  /// What the call does is part of a span of its own from now on.
  package func continues(traceparent: String) {
    storage.ownTrace.withLock { $0 = traceparent }
  }

  /// Whether the call waits for its turn; for introspection.
  package var isAwaitingTurn: Bool { storage.isAwaitingTurn.load(ordering: .relaxed) }

  package func awaitsTurn(_ isAwaiting: Bool) {
    storage.isAwaitingTurn.store(isAwaiting, ordering: .relaxed)
  }

  /// Unique in this process; for logs and introspection.
  package var connectionID: UInt64 { storage.connectionID }
  package var streamID: UInt32 { storage.streamID }
  /// The encoded request; kept only when there is an idempotency key, so that it can be hashed.
  package var requestBytes: [UInt8] { storage.requestBytes }
  /// Address of the peer, without its port; empty where it has none.
  package var peer: String { storage.peer }

  /// Says that the call shows a user's data; nil: everybody's. An empty id is nobody's.
  package func concerns(userID: String?) {
    if userID == "" { return }
    concerns(userID.map(CallSubject.user) ?? .everybody)
  }

  /// Says whose data the call shows.
  package func concerns(_ subject: CallSubject) {
    storage.subjectObserver.withLock { $0 }?(subject)
  }

  /// Has `observer` told whose data the call shows. One observer.
  package func observeSubjects(_ observer: @escaping @Sendable (CallSubject) -> Void) {
    storage.subjectObserver.withLock { $0 = observer }
  }

  /// The caller, or UNAUTHENTICATED.
  package func requirePrincipal() throws(RPCError) -> Principal {
    if let principal { return principal }
    throw RPCError(.unauthenticated, "this call needs a token")
  }

  /// Time left until the deadline, nil without one, zero when it has passed.
  package func timeLeft(now: Moment = .now) -> Duration? {
    storage.deadline.map { max(.zero, now.duration(to: $0)) }
  }

  /// Says that the call begins to write. False where its caller has been told that nothing was written.
  package func beginWrite() -> Bool {
    storage.writing.compareExchange(
      expected: .notBegun, desired: .begun, ordering: .relaxed
    ).original != .refused
  }

  /// The call ends before its handler does: whether it may have written. If not, it never will.
  package func endWrites() -> Bool {
    storage.writing.compareExchange(
      expected: .notBegun, desired: .refused, ordering: .relaxed
    ).original == .begun
  }

  /// Adds trailer metadata to the call's END: `key` 1..64 of `a-z0-9_.-`, 2 KiB in all. What does not
  /// fit is dropped when END is written.
  package func addTrailer(_ key: String, _ value: String) {
    storage.said.withLock { $0.made.trailers.append((key, value)) }
  }

  /// As `addTrailer`, for a key that ends with `-bin`; a client of minor version 0 does not see it.
  package func addTrailer(_ key: String, bytes: [UInt8]) {
    storage.said.withLock { $0.made.binaryTrailers.append((key, bytes)) }
  }

  /// Adds metadata that the client gets before the first response: `key` as in `addTrailer`, 8 KiB in all. What
  /// does not fit, what is added after the first response, and all of it at a client of minor version 0, is dropped.
  package func addMetadata(_ key: String, _ value: String) {
    storage.said.withLock { $0.made.metadata.append((key, value)) }
  }

  /// As `addMetadata`, for a key that ends with `-bin`.
  package func addMetadata(_ key: String, bytes: [UInt8]) {
    storage.said.withLock { $0.made.binaryMetadata.append((key, bytes)) }
  }

  /// What a handler says of its responses beside them.
  package struct Said: Sendable {
    package var metadata: [(String, String)] = []
    package var binaryMetadata: [(String, [UInt8])] = []
    package var trailers: [(String, String)] = []
    package var binaryTrailers: [(String, [UInt8])] = []

    package var hasMetadata: Bool { !metadata.isEmpty || !binaryMetadata.isEmpty }
    package var hasTrailers: Bool { !trailers.isEmpty || !binaryTrailers.isEmpty }
  }

  /// What handlers have added so far; nil for nothing, as of most calls. The transport reads it when it writes the
  /// first response, and END.
  package var said: Said? { storage.said.withLock { $0 } }

  private enum Writing: UInt8, AtomicRepresentable {
    case notBegun, begun, refused
  }

  private final class Storage: Sendable {
    let method: MethodDescriptor
    let deadline: Moment?
    let principal: Principal?
    let idempotencyKey: String?
    let metadata: [(String, String)]
    let binaryMetadata: [(String, [UInt8])]
    let traceparent: String?
    let connectionID: UInt64
    let streamID: UInt32
    let requestBytes: [UInt8]
    let peer: String
    let subjectObserver = Mutex<(@Sendable (CallSubject) -> Void)?>(nil)
    let said = Mutex<Said?>(nil)
    let writing = Atomic(Writing.notBegun)
    let ownTrace = Mutex<String?>(nil)
    let isAwaitingTurn = Atomic(false)

    init(
      method: MethodDescriptor, deadline: Moment?, principal: Principal?,
      idempotencyKey: String?, metadata: [(String, String)],
      binaryMetadata: [(String, [UInt8])], traceparent: String?,
      connectionID: UInt64, streamID: UInt32, requestBytes: [UInt8], peer: String
    ) {
      self.method = method
      self.deadline = deadline
      self.principal = principal
      self.idempotencyKey = idempotencyKey
      self.metadata = metadata
      self.binaryMetadata = binaryMetadata
      self.traceparent = traceparent
      self.connectionID = connectionID
      self.streamID = streamID
      self.requestBytes = requestBytes
      self.peer = peer
    }
  }
}

extension CallContext.Said? {
  /// The value, which is made where there is none.
  fileprivate var made: CallContext.Said {
    get { self ?? CallContext.Said() }
    set { self = newValue }
  }
}
