internal import RPC
internal import Synchronization
internal import Wire

/// What each attempt of a call has in common.
struct SingleCall: Sendable {
  /// How an attempt of a unary call ended.
  struct Ended<Response: Sendable>: Sendable {
    let result: Result<Response, RPCError>
    /// What the server said beside it; nil where there was no server.
    let said: ResponseMetadata?
  }

  let method: MethodDescriptor
  var options: CallOptions
  let key: String?
  let deadline: Moment?
  /// Nil where messages are streamed.
  let message: [UInt8]?
  /// Where the token of `options` is from; nil where it is the call's own.
  var tokens: Tokens?
  var log: CallLog?
}

/// The connections of the copies of a call.
private final class Copies: Sendable {
  private let used = Mutex<[Int]>([])

  func add(_ number: Int) { used.withLock { $0.append(number) } }
  var numbers: [Int] { used.withLock { $0 } }
}

/// What happens while the copies of a call run.
private enum HedgeEvent<Response: Sendable>: Sendable {
  case ended(SingleCall.Ended<Response>)
  /// Another copy may begin.
  case time
}

extension HitoTransport {
  /// One attempt of a unary call.
  ///
  /// - Parameter connection: on which it has a place; nil = any.
  func attempt<Response: WireMessage>(
    _ call: SingleCall, _ connection: ClientConnection?, _ opened: (@Sendable (Int) -> Void)? = nil
  ) async -> SingleCall.Ended<Response> {
    let stream: ClientCallHandle
    do throws(RPCError) {
      stream = try await open(call, connection)
    } catch {
      return SingleCall.Ended(result: .failure(error), said: nil)
    }
    opened?(stream.connectionNumber)
    do throws(RPCError) {
      let response = try await stream.singleResponse(as: Response.self)
      return SingleCall.Ended(result: .success(response), said: stream.responseMetadata)
    } catch {
      return SingleCall.Ended(result: .failure(error), said: stream.responseMetadata)
    }
  }

  private func open(
    _ call: SingleCall, _ connection: ClientConnection?
  ) async throws(RPCError) -> ClientCallHandle {
    guard let connection else { return try await open(call) }
    return try begin(call, on: connection)
  }

  /// An attempt of a unary call that is made again beside the first after a delay, where there is a policy. The first response counts, and
  /// whatever a server says but UNAVAILABLE; the others are cancelled then.
  func hedged<Response: WireMessage>(
    _ call: SingleCall, _ policy: HedgingPolicy?
  ) async -> SingleCall.Ended<Response> {
    guard let policy else { return await attempt(call, nil) }
    let copies = Copies()
    return await withTaskGroup(of: HedgeEvent<Response>.self) { group in
      let first: @Sendable () async -> HedgeEvent<Response> = {
        .ended(await self.attempt(call, nil) { copies.add($0) })
      }
      group.addTask(operation: first)
      let time: @Sendable () async -> HedgeEvent<Response> = {
        try? await Task.sleep(for: policy.delay)
        return .time
      }
      group.addTask(operation: time)
      defer { group.cancelAll() }
      var copyCount = 1
      var runningCount = 1
      // By one of the copies; what decides may know of itself only.
      var isPerhapsStarted = false
      // A server that asks for time is not asked again before.
      var notBefore = Moment.now
      while let event = await group.next() {
        switch event {
        case .ended(let ended):
          runningCount -= 1
          guard case .failure(var error) = ended.result else { return ended }
          isPerhapsStarted = isPerhapsStarted || !error.isNotStarted
          guard error.code == .unavailable, runningCount > 0 else {
            error.isNotStarted = !isPerhapsStarted && runningCount == 0
            return SingleCall.Ended(result: .failure(error), said: ended.said)
          }
          notBefore = max(notBefore, .now + configuration.retryAdvice(error).delay)
        case .time:
          guard copyCount < policy.copyCountMax, !Task.isCancelled else { continue }
          let used = copies.numbers
          if !used.isEmpty, notBefore <= .now, let connection = pool.connection(beside: used) {
            guard takeRepeat() else {
              pool.callEnded(on: connection.number)
              continue
            }
            copies.add(connection.number)
            copyCount += 1
            call.log?.hedged(copy: copyCount)
            runningCount += 1
            group.addTask { .ended(await self.attempt(call, connection)) }
          }
          if copyCount < policy.copyCountMax { group.addTask(operation: time) }
        }
      }
      return SingleCall.Ended(
        result: .failure(RPCError(.cancelled, "the call was cancelled")), said: nil)
    }
  }
}

extension HedgingPolicy {
  /// Nil where it says that there is one copy only.
  var ifHedged: HedgingPolicy? { copyCountMax > 1 ? self : nil }
}
