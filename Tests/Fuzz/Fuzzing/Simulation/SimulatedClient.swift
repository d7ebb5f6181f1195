import NIOCore
import RPC
import SeededRandom
import Wire

@testable import Transport

/// An application: it makes calls of every kind, repeats what may be repeated, and remembers what it was
/// told.
///
/// `@unchecked Sendable`: used on one loop only.
final class SimulatedClient: @unchecked Sendable {
  unowned let simulation: Simulation
  private let number: Int
  private var current: EmbeddedClient?
  private var acknowledged: [(key: String, reply: Blob)] = []
  /// Attempts that are said not to have started.
  private var unstarted: [String] = []
  private var keyCount = 0
  private var attemptCount = 0
  private var loop: EmbeddedLoop { simulation.loop }

  init(_ simulation: Simulation, number: Int) {
    self.simulation = simulation
    self.number = number
  }

  // MARK: Calls

  /// The connection, or a new one.
  private func connection() throws(RPCError) -> EmbeddedClient {
    if let current, current.connection.endError == nil, !current.connection.machine.isRetired {
      return current
    }
    let client = EmbeddedClient(loop) { configuration in
      configuration.keepaliveIdle = .milliseconds(500)
      configuration.keepaliveTimeout = .seconds(1)
      configuration.compresses = simulation.chance(3)
      if simulation.chance(3) {
        let isTiny = simulation.chance(3)
        // Below 1024 a larger message never comes (W9.2).
        configuration.limits.streamCredit = isTiny ? (simulation.isCalm ? 2048 : 100) : 4096
        configuration.limits.connectionCredit = isTiny ? (simulation.isCalm ? 2048 : 1000) : 16384
      }
      configuration.token = simulation.chance(4) ? "slow" : "good"
    }
    guard simulation.connect(client) else {
      _ = client.channel.takeOutput()
      client.channel.close(promise: nil)
      var error = RPCError(.unavailable, "no server")
      error.isNotStarted = true
      throw error
    }
    // What the dialer does for a server that says nothing.
    let connection = client.connection
    let timer = loop.loop.scheduleTask(in: .seconds(3)) {
      connection.end(RPCError(.unavailable, "the server did not answer in time"))
      connection.context?.close(promise: nil)
    }
    connection.ready.futureResult.whenComplete { _ in timer.cancel() }
    current = client
    return client
  }

  private func open(
    _ method: MethodDescriptor, _ message: [UInt8]?, key: String? = nil
  ) throws(RPCError) -> ClientCall {
    simulation.report.callCount += 1
    let timeout =
      simulation.isCalm
      ? Duration.seconds(3000)
      : .milliseconds(Int.random(in: 1...8000, using: &simulation.random))
    let call = try connection().call(method, message, key: key, timeout: timeout)
    call.start()
    if !simulation.isCalm, simulation.chance(12) {
      loop.loop.scheduleTask(in: .init(simulation.pause())) { call.cancel() }
    }
    return call
  }

  /// All messages of a call, until its end: which comes once.
  private func responses(of call: ClientCall) async throws(RPCError) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    do throws(RPCError) {
      while let next = try await next(of: call) { messages.append(next) }
    } catch {
      simulation.report.failedCallCount += 1
      let isExpected = !simulation.isCalm || error.code == .cancelled
      require(isExpected, "where nothing goes wrong, a call failed: \(error)")
      require(call.hasEnded, "a reader failed, and its call has not")
      call.abandon()
      throw error
    }
    require(call.hasEnded, "a call without an end")
    call.abandon()
    return messages
  }

  private func next(of call: ClientCall) async throws(RPCError) -> [UInt8]? {
    try await call.next { bytes, isCompressed -> [UInt8] in
      guard isCompressed else { return Array(bytes) }
      do throws(CallFault) {
        return try CompressedMessage.unpacked(bytes, byteCountMax: 4 << 20)
      } catch {
        fatalError("a reply does not expand: \(error)")
      }
    }
  }

  private func unary(
    _ method: MethodDescriptor, _ request: Blob, key: String? = nil
  ) async throws(RPCError) -> Blob {
    let call = try open(method, request.bytes, key: key)
    let messages = try await responses(of: call)
    require(messages.count == 1, "\(messages.count) replies of a unary call")
    return Blob(messages[0])
  }

  // MARK: Operations

  func startOperation() {
    let choice = Int.random(in: 0..<10, using: &simulation.random)
    operation { [self] in
      switch choice {
      case 0, 1, 2: await write()
      case 3:
        keyCount += 1
        let key = "\(number)-\(keyCount)"
        // The same write twice at once: a repeat that overtakes.
        operation { [self] in await write(key) }
        await write(key)
      case 4, 5: await echo()
      case 6: await count()
      case 7: await sum()
      case 8: await chat()
      default: await watch()
      }
    }
  }

  private func operation(_ body: @escaping @Sendable () async -> Void) {
    simulation.operationCount += 1
    let simulation = simulation
    loop.start {
      await body()
      simulation.operationCount -= 1
    }
  }

  private var pacer = RetryPacer(RetryBudget())

  private func write() async {
    keyCount += 1
    await write("\(number)-\(keyCount)")
  }

  /// Repeats a write until it is acknowledged, or may not be repeated.
  private func write(_ key: String) async {
    var retries = RetryMachine(
      policy: RetryPolicy(), method: EmbeddedMethods.write, hasIdempotencyKey: true,
      repeatTime: .seconds(5))
    while true {
      attemptCount += 1
      let attempt = "\(key)/\(attemptCount)"
      do throws(RPCError) {
        let reply = try await unary(EmbeddedMethods.write, Blob(attempt), key: key)
        acknowledged.append((key, reply))
        simulation.report.acknowledgedWriteCount += 1
        return
      } catch {
        if error.isNotStarted { unstarted.append(attempt) }
        let jitter = Double.random(in: 0...1, using: &simulation.random)
        let step = retries.failed(
          error, RetryAdvice(), now: loop.now, jitter: jitter, pacer: &pacer)
        guard case .repeatCall(let wait) = step else { return }
        simulation.report.retryCount += 1
        await loop.sleep(wait)
      }
    }
  }

  private func bytes() -> [UInt8] {
    let size = simulation.chance(4) ? 300_000 : 2000
    let count = Int.random(in: 0...size, using: &simulation.random)
    return [UInt8](repeating: UInt8.random(in: 64...90, using: &simulation.random), count: count)
  }

  private func echo() async {
    let request = Blob(bytes())
    guard let reply = try? await unary(EmbeddedMethods.echo, request) else { return }
    require(reply == request, "an echo is something else")
  }

  private func count() async {
    let count = Int.random(in: 0...40, using: &simulation.random)
    let size = bytes().count / 10
    guard let call = try? open(EmbeddedMethods.count, Array("\(count) \(size)".utf8)),
      let messages = try? await responses(of: call)
    else { return }
    require(messages.count == count, "\(messages.count) messages of \(count)")
    for (index, message) in messages.enumerated() {
      require(
        message == Array("\(index)".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: size),
        "message \(index) is another one")
    }
  }

  private func sum() async {
    guard let call = try? open(EmbeddedMethods.sum, nil) else { return }
    var byteCount = 0
    let count = Int.random(in: 0...10, using: &simulation.random)
    for _ in 0..<count {
      let message = bytes()
      byteCount += message.count
      guard (try? await call.send(call.connection.outgoing(message))) != nil else { break }
    }
    call.finishSending()
    guard let messages = try? await responses(of: call) else { return }
    require(messages == [Array("\(count) \(byteCount)".utf8)], "a sum is wrong")
  }

  private func chat() async {
    guard let call = try? open(EmbeddedMethods.chat, nil) else { return }
    let messages = (0..<Int.random(in: 0...10, using: &simulation.random)).map { _ in bytes() }
    operation {
      for message in messages {
        guard (try? await call.send(call.connection.outgoing(message))) != nil else { return }
      }
      call.finishSending()
    }
    guard let replies = try? await responses(of: call) else { return }
    require(replies == messages, "a chat is something else")
  }

  /// A stream that lasts until somebody ends it.
  private func watch() async {
    guard let call = try? open(EmbeddedMethods.watch, []) else { return }
    let delay = simulation.pause() * 10
    loop.loop.scheduleTask(in: .init(delay)) { call.cancel() }
    _ = try? await responses(of: call)
    require(call.hasEnded, "a stream that never ends")
  }

  // MARK: The end

  func requireDone() {
    for (key, reply) in acknowledged { simulation.store.requireCommitted(key, reply) }
    for attempt in unstarted {
      require(
        !simulation.store.begunAttempts.contains(attempt),
        "the write \(attempt) is said not to have started, and did")
    }
  }
}
