/// Which calls of one connection the server takes: ids that grow (W5.1), and how many at once (W5.7).
package struct ServerStreams: Sendable, Hashable {
  package enum Admission: Sendable, Hashable {
    case start
    case refuse(CallFault)
    /// Above the last stream of a drain: the client knows that it was not started.
    case ignore
  }

  private let countMax: Int
  package private(set) var highestStream: UInt32 = 0
  /// Streams that are open on the wire.
  package private(set) var openCallCount = 0
  /// Handlers that have not returned, and calls whose handler has not started; cancelled handlers run
  /// on without a stream for a while.
  package private(set) var runningHandlerCount = 0
  /// Streams of strangers: calls without a caller, begun while none was known on the connection.
  private var strangerCallCount = 0

  package init(countMax: Int) {
    self.countMax = countMax
  }

  /// A CALL arrived; `fault` is what its head says against it.
  package mutating func callReceived(
    stream: UInt32, fault: CallFault?, isFinishing: Bool, isStrangers: Bool
  ) throws(WireFault) -> Admission {
    guard stream > highestStream else {
      throw WireFault(.protocolError, "a stream id that is not larger than the last")
    }
    highestStream = stream
    if isFinishing { return .ignore }
    guard openCallCount < countMax else {
      return .refuse(CallFault(.resourceExhausted, "more than \(countMax) concurrent calls"))
    }
    guard !isStrangers || strangerCallCount < WireLimit.strangerCallCountMax else {
      let text = "more than \(WireLimit.strangerCallCountMax) concurrent calls without a token"
      return .refuse(CallFault(.resourceExhausted, text))
    }
    guard runningHandlerCount < 2 * countMax else {
      return .refuse(CallFault(.unavailable, "cancelled calls are still ending"))
    }
    if let fault { return .refuse(fault) }
    openCallCount += 1
    runningHandlerCount += 1
    if isStrangers { strangerCallCount += 1 }
    return .start
  }

  /// The stream of a started call has ended.
  package mutating func callEnded(hasHandler: Bool, isStrangers: Bool) {
    openCallCount -= 1
    if isStrangers { strangerCallCount -= 1 }
    if !hasHandler { runningHandlerCount -= 1 }
  }

  /// The handler of a started call has returned.
  package mutating func handlerEnded() {
    runningHandlerCount -= 1
  }
}
