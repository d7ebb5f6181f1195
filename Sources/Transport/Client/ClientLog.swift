package import RPC
internal import Synchronization
internal import Wire

/// Makes the records of a client (BEHAVIOUR.md, C5.9). There is none where nobody listens.
package final class ClientLog: Sendable {
  typealias Fields = [String: ClientLogRecord.Value]

  private static let textCountMax = 256

  private let function: ClientLogFunction
  private let callCount = Atomic(0)

  init(_ function: @escaping ClientLogFunction) {
    self.function = function
  }

  func tell(
    _ level: ClientLogRecord.Level, _ event: ClientLogRecord.Event, _ text: String,
    _ fields: Fields
  ) {
    let shown = fields.mapValues { value -> ClientLogRecord.Value in
      if case .text(let text) = value { .text(Self.shown(text)) } else { value }
    }
    function(ClientLogRecord(level, event, Self.shown(text), shown))
  }

  // MARK: Connections

  func connecting(_ address: String) {
    tell(.debug, .connecting, "connecting to \(address)", ["address": .text(address)])
  }

  func connected(_ address: String, _ serverID: String?, after began: Moment) {
    let time = began.duration(to: .now).wholeMilliseconds
    tell(
      .info, .connected, "connected to \(address) in \(time) ms",
      [
        "address": .text(address), "server_id": .text(serverID ?? ""),
        "duration_ms": .number(time),
      ])
  }

  func connectFailed(_ address: String, _ error: any Error) {
    let said = error as? RPCError
    let reason = [said?.message ?? "\(error)", said?.cause.map { "\($0)" }].compactMap(\.self)
      .joined(separator: ": ")
    tell(
      .warning, .connectFailed, "no connection to \(address): \(reason)",
      ["address": .text(address), "reason": .text(reason)])
  }

  func disconnected(_ address: String, _ ending: ClientConnection.Ending) {
    let reason = ending.error.message
    tell(
      ending.isInOrder ? .info : .warning, .disconnected,
      "the connection to \(address) has ended: \(reason)",
      ["address": .text(address), "reason": .text(reason)])
  }

  // MARK: Calls

  /// A stream is about to be taken up again.
  package func watchResumed(
    _ method: MethodDescriptor, after error: RPCError?, delay: Duration
  ) {
    let status = (error?.code ?? .ok).description
    tell(
      .info, .watchResumed, "\(method.path) is taken up again after \(status)",
      [
        "method": .text(method.path), "status": .text(status),
        "delay_ms": .number(delay.wholeMilliseconds),
      ])
  }

  /// A call has begun.
  func call(_ method: MethodDescriptor) -> CallLog {
    CallLog(self, callCount.wrappingAdd(1, ordering: .relaxed).newValue, method)
  }

  /// Text of others, as it may be shown.
  private static func shown(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(textCountMax).map { scalar -> Unicode.Scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
      default: scalar
      }
    }
    return String(String.UnicodeScalarView(scalars))
  }
}

/// The records of one call, from its first attempt to what its caller has of it.
final class CallLog: Sendable {
  private struct State {
    var attemptCount = 1
    var isEnded = false
  }

  private let log: ClientLog
  private let number: Int
  private let path: String
  private let began = Moment.now
  private let state = Mutex(State())

  init(_ log: ClientLog, _ number: Int, _ method: MethodDescriptor) {
    self.log = log
    self.number = number
    path = method.path
    tell(.debug, .callStarted, "\(path) begins", [:])
  }

  func repeated(_ error: RPCError, after delay: Duration) {
    let attempt = state.withLock { state in
      state.attemptCount += 1
      return state.attemptCount
    }
    let time = delay.wholeMilliseconds
    tell(
      .info, .callRepeated, "\(path) is repeated in \(time) ms after \(error)",
      [
        "attempt": .number(attempt), "status": .text(error.code.description),
        "delay_ms": .number(time),
      ])
  }

  func hedged(copy: Int) {
    tell(.debug, .callHedged, "\(path) is asked again beside", ["copy": .number(copy)])
  }

  /// Nil where it went well. Only the first end counts.
  func ended(_ error: RPCError?) {
    let attemptCount = state.withLock { state -> Int? in
      guard !state.isEnded else { return nil }
      state.isEnded = true
      return state.attemptCount
    }
    guard let attemptCount else { return }
    let status = (error?.code ?? .ok).description
    let isOwn = error.map { $0.code == .cancelled && !$0.isFromServer } ?? true
    let time = began.duration(to: .now).wholeMilliseconds
    let why = error.map { $0.message.isEmpty ? "" : ": \($0.message)" } ?? ""
    tell(
      isOwn ? .debug : .info, .callEnded, "\(path) ended with \(status) after \(time) ms\(why)",
      [
        "status": .text(status), "duration_ms": .number(time), "attempts": .number(attemptCount),
      ])
  }

  /// Its caller has left it.
  func left() { ended(RPCError(.cancelled, "")) }

  private func tell(
    _ level: ClientLogRecord.Level, _ event: ClientLogRecord.Event, _ text: String,
    _ fields: ClientLog.Fields
  ) {
    let own: ClientLog.Fields = ["call": .number(number), "method": .text(path)]
    log.tell(level, event, text, own.merging(fields) { first, _ in first })
  }
}

extension Duration {
  var wholeMilliseconds: Int { Int(clamping: wholeNanoseconds / 1_000_000) }
}
