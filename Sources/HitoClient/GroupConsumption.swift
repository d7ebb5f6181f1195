internal import Synchronization

/// What a consumer decides about an event.
public enum Settlement: Sendable, Hashable {
  /// Done.
  case ack
  /// Again after this time; as the group says where that is nil.
  case retry(after: Duration? = nil, reason: String = "")
  /// Put aside for a person.
  case park(reason: String = "")
  /// Done, though not wanted.
  case skip
}

/// How `HitoClient.consume` behaves.
public struct ConsumeOptions: Sendable {
  /// The consumer's name, which no other of the group may have; empty: the server makes one.
  public var consumer = ""
  /// How many events are worked on at a time; 0: as many as the server usually gives.
  public var bufferSize: Int32 = 0
  /// Whether an event is kept for as long as it is worked on. Otherwise what is not settled in the group's
  /// time goes to another consumer.
  public var extendsByItself = true
  /// Of each stream that is opened.
  public var call = CallOptions()
  /// Called when the stream broke and is about to be opened again; nil where the server ended it in order.
  public var onInterruption: (@Sendable (RPCError?) -> Void)?

  public init() {}
}

/// An event in the hands of a consumer.
public struct ConsumedEvent: Sendable {
  public var event: Event
  /// From 1.
  public var attempt: Int
}

extension HitoClient {
  /// Consumes the events of a group until the task is cancelled: gives each to `handle`, several at a time, and
  /// settles it as that says. What `handle` throws is a retry.
  ///
  /// Reconnects by itself. Every event comes at least once: after a broken connection what was not settled
  /// comes again, and the tasks that worked on it are cancelled. Throws only what trying again would not mend (no such
  /// group, a revoked token, a name that another consumer has).
  public func consume(
    group: String, options: ConsumeOptions = ConsumeOptions(),
    _ handle: @escaping @Sendable (ConsumedEvent) async throws -> Settlement
  ) async throws(RPCError) {
    var machine = ResumeMachine(
      cursor: nil, renewal: hasProvidedTokens(options.call) ? .always : .none)
    // Tells this consumer's next connection from another process of its name.
    var join = JoinGroup(
      group: group, bufferSize: options.bufferSize, consumer: options.consumer,
      instance: "\(UInt64.random(in: 0 ... .max))-\(UInt64.random(in: 0 ... .max))")
    while true {
      var failure: RPCError?
      do throws(RPCError) {
        let call = try await events.consume(options: options.call)
        let session = GroupSession(call, handle, extendsByItself: options.extendsByItself)
        failure = await session.run(join)
        if let name = session.name {
          machine.received(cursor: "")
          join.consumer = name
        }
      } catch {
        failure = error
      }
      let step = machine.ended(failure, jitter: .random(in: 0...1))
      guard case .reconnect(let delay) = step, !isClosed else {
        throw failure ?? RPCError(.unavailable, "the server ended the stream")
      }
      options.onInterruption?(failure)
      try await rest(EventServiceMethods.consume, after: failure, for: delay)
    }
  }
}

/// One connection of a consumer.
private final class GroupSession: Sendable {
  private struct State {
    var outgoing: [ConsumeRequest] = []
    var isSending = false
    /// What is worked on.
    var held: Set<String> = []
    var ackTimeout = Duration.seconds(30)
    var name: String?
  }

  private let call: BidirectionalCall<ConsumeRequest, ConsumeResponse>
  private let handle: @Sendable (ConsumedEvent) async throws -> Settlement
  private let extendsByItself: Bool
  private let state = Mutex(State())

  init(
    _ call: BidirectionalCall<ConsumeRequest, ConsumeResponse>,
    _ handle: @escaping @Sendable (ConsumedEvent) async throws -> Settlement,
    extendsByItself: Bool
  ) {
    self.call = call
    self.handle = handle
    self.extendsByItself = extendsByItself
  }

  /// The name that the consumer has in the group; nil before it has joined.
  var name: String? { state.withLock { $0.name } }

  /// Runs until the stream ends.
  ///
  /// - Returns: why, where it did not end in order.
  func run(_ join: JoinGroup) async -> RPCError? {
    do {
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        defer {
          tasks.cancelAll()
          call.cancel()
        }
        try await send(ConsumeRequest(step: .join(join)))
        var responses = call.responses.makeAsyncIterator()
        while let response = try await responses.next() {
          if let joined = response.joined { begin(joined, &tasks) }
          if let event = response.event {
            let consumed = ConsumedEvent(event: event, attempt: Int(response.attempt))
            state.withLock { _ = $0.held.insert(event.id) }
            tasks.addTask { [self] in await work(on: consumed) }
          }
        }
      }
      return nil
    } catch {
      return error as? RPCError ?? RPCError(.cancelled, "the consumer was cancelled")
    }
  }

  private func begin(_ joined: JoinedGroup, _ tasks: inout ThrowingTaskGroup<Void, any Error>) {
    state.withLock { state in
      state.ackTimeout = .microseconds(joined.ackTimeoutUs)
      state.name = joined.consumer
    }
    guard extendsByItself else { return }
    tasks.addTask { [self] in await extend() }
  }

  private func extend() async {
    while !_Concurrency.Task.isCancelled {
      let interval = state.withLock { $0.ackTimeout } / 3
      try? await _Concurrency.Task.sleep(for: interval)
      let held = state.withLock { Array($0.held.prefix(1000)) }
      guard !held.isEmpty else { continue }
      // A stream that is over is heard of where it is read.
      try? await send(
        ConsumeRequest(step: .settle(Settle(eventIds: held, action: .extend))))
    }
  }

  private func work(on consumed: ConsumedEvent) async {
    let settlement: Settlement
    do {
      settlement = try await handle(consumed)
    } catch {
      settlement = .retry(reason: "the consumer failed")
    }
    let id = consumed.event.id
    state.withLock { _ = $0.held.remove(id) }
    guard !_Concurrency.Task.isCancelled else { return }
    var settle = Settle(eventIds: [id], action: .ack)
    switch settlement {
    case .ack: break
    case .skip: settle.action = .skip
    case .park(let reason): (settle.action, settle.reason) = (.park, reason)
    case .retry(let delay, let reason):
      (settle.action, settle.reason) = (.retry, reason)
      if let delay {
        let (seconds, attoseconds) = delay.components
        settle.retryAfterUs = max(1, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
      }
    }
    try? await send(ConsumeRequest(step: .settle(settle)))
  }

  /// One message after the other: who finds nobody sending sends for all.
  private func send(_ request: ConsumeRequest) async throws(RPCError) {
    let isOurs = state.withLock { state in
      state.outgoing.append(request)
      defer { state.isSending = true }
      return !state.isSending
    }
    guard isOurs else { return }
    while let next = take() { try await call.write(next) }
  }

  /// The next message; acknowledgements that wait together are one.
  private func take() -> ConsumeRequest? {
    state.withLock { state in
      guard !state.outgoing.isEmpty else {
        state.isSending = false
        return nil
      }
      var first = state.outgoing.removeFirst()
      guard case .settle(var settle)? = first.step, settle.action == .ack else { return first }
      while settle.eventIds.count < 1000, case .settle(let more)? = state.outgoing.first?.step,
        more.action == .ack
      {
        settle.eventIds += more.eventIds
        state.outgoing.removeFirst()
      }
      first.step = .settle(settle)
      return first
    }
  }
}
