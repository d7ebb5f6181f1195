import HitoClient
import OpenSSL
import Testing

@Suite("A subscription that resumes")
struct ResumeMachineTests {
  /// One that has received a message at `cursor`.
  private func streaming(_ cursor: String, givesUpAtFirst: Bool = false) -> ResumeMachine {
    var machine = ResumeMachine(cursor: nil, givesUpAtFirst: givesUpAtFirst)
    machine.received(cursor: cursor)
    return machine
  }

  @Test(
    "continues after the last cursor, more slowly after each failure, and quickly again after a message"
  )
  func backoff() {
    var machine = streaming("c1")
    var delays: [Duration] = []
    for _ in 0..<12 {
      guard case .reconnect(let delay) = machine.ended(RPCError(.unavailable, ""), jitter: 1) else {
        Issue.record("gave up")
        return
      }
      delays.append(delay)
    }
    #expect(machine.cursor == "c1" && machine.interruptionCount == 12)
    #expect(delays.first == .milliseconds(50) && delays.last == .seconds(5))
    #expect(delays == delays.sorted())
    machine.received(cursor: "c2")
    #expect(machine.ended(nil, jitter: 0) == .reconnect(after: .milliseconds(25)))
    #expect(machine.cursor == "c2")
  }

  @Test("begins where it is told, keeps a cursor that a message does not carry")
  func cursors() {
    var machine = ResumeMachine(cursor: "c0")
    #expect(machine.cursor == "c0")
    machine.received(cursor: "")
    #expect(machine.cursor == "c0")
  }

  @Test("ends where the log has lost what it gave, at the last place that holds")
  func forked() {
    var machine = streaming("c9")
    var error = RPCError(.outOfRange, "", resumeCursor: "c5")
    error.isFromServer = true
    #expect(machine.ended(error, jitter: 0) == .giveUp)
    #expect(machine.cursor == "c5")
  }

  @Test("C5.8.3 takes a refused stream up again where there are other tokens")
  func renewal() {
    var refused = RPCError(.unauthenticated, "")
    refused.isFromServer = true
    var watch = ResumeMachine(cursor: nil, renewal: .afterMessage)
    #expect(watch.ended(refused, jitter: 0) == .giveUp)
    watch.received(cursor: "c1")
    #expect(watch.ended(refused, jitter: 1) == .reconnect(after: .milliseconds(50)))
    // The stream has repeated itself.
    #expect(watch.ended(refused, jitter: 1) == .giveUp)
    var consumer = ResumeMachine(cursor: nil, renewal: .always)
    for _ in 0..<2 {
      #expect(consumer.ended(refused, jitter: 1) == .reconnect(after: .zero))
      #expect(consumer.ended(refused, jitter: 1) == .giveUp)
      consumer.received(cursor: "")
      #expect(consumer.ended(refused, jitter: 1) == .reconnect(after: .milliseconds(50)))
    }
    // What the client says itself is that there is none.
    consumer.received(cursor: "")
    #expect(consumer.ended(RPCError(.unauthenticated, ""), jitter: 1) == .giveUp)
  }

  @Test("continues where a draining server says")
  func resumeCursor() {
    var machine = streaming("c1")
    _ = machine.ended(RPCError(.unavailable, "", resumeCursor: "c5"), jitter: 0)
    #expect(machine.cursor == "c5")
    _ = machine.ended(RPCError(.unavailable, "", resumeCursor: ""), jitter: 0)
    #expect(machine.cursor == "c5")
  }

  @Test("waits for a server that is not there at first, unless it is to give up")
  func firstFailure() {
    let error = RPCError(.unavailable, "")
    var patient = ResumeMachine(cursor: nil)
    #expect(patient.ended(error, jitter: 1) == .reconnect(after: .milliseconds(50)))
    var hasty = ResumeMachine(cursor: nil, givesUpAtFirst: true)
    #expect(hasty.ended(error, jitter: 1) == .giveUp)
    var running = streaming("c1", givesUpAtFirst: true)
    #expect(running.ended(error, jitter: 1) == .reconnect(after: .milliseconds(50)))
  }

  @Test(
    "gives up at what does not pass",
    arguments: [
      StatusCode.permissionDenied, .unauthenticated, .outOfRange, .invalidArgument, .notFound,
    ])
  func permanentFailures(code: StatusCode) {
    var machine = streaming("c1")
    #expect(machine.ended(RPCError(code, ""), jitter: 0) == .giveUp)
    #expect(machine.interruptionCount == 0)
  }

  @Test("gives up at its own limits, cancellation and deadline, and not at the server's")
  func sides() {
    for code in [StatusCode.cancelled, .deadlineExceeded, .aborted, .resourceExhausted] {
      var error = RPCError(code, "")
      var machine = streaming("c1")
      #expect(machine.ended(error, jitter: 0) == .giveUp)
      error.isFromServer = true
      #expect(machine.ended(error, jitter: 0) == .reconnect(after: .milliseconds(25)))
    }
  }

  @Test("gives up at a certificate that is not trusted")
  func untrusted() {
    var machine = ResumeMachine(cursor: nil)
    let error = RPCError(.unavailable, "").caused(by: TLSError(""))
    #expect(machine.ended(error, jitter: 0) == .giveUp)
  }

  @Test("gives up at what lasts until the server is configured differently")
  func lasting() {
    var machine = streaming("c1")
    let details = ErrorDetails(reason: .noModel)
    let error = RPCError(.unavailable, "", details: details.encodedBytes())
    #expect(machine.ended(error, jitter: 0) == .giveUp)
  }

  private func exhausted(_ details: [UInt8]) -> RPCError {
    var error = RPCError(.resourceExhausted, "", details: details)
    error.isFromServer = true
    return error
  }

  @Test("waits for as long as the server asks, within reason")
  func pushback() {
    for (microseconds, delay) in [
      (Int64(7_000_000), Duration.seconds(7)), (1, .milliseconds(25)),
      (.max, .seconds(60)), (-1, .milliseconds(25)),
    ] {
      var machine = streaming("c1")
      let error = exhausted(ErrorDetails(retryDelayUs: microseconds).encodedBytes())
      #expect(machine.ended(error, jitter: 0) == .reconnect(after: delay))
    }
    var machine = streaming("c1")
    #expect(machine.ended(exhausted([0xff]), jitter: 0) == .reconnect(after: .milliseconds(25)))
  }
}
