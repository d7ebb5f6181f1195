/// Something that happened to a client. It never has tokens, metadata, messages or keys; what others said in it is at
/// most 256 characters, without control characters.
public struct ClientLogRecord: Sendable, Hashable {
  public enum Level: String, Sendable, Hashable {
    case debug, info, warning
  }

  public enum Event: String, Sendable, Hashable {
    case connecting, connected, disconnected
    case connectFailed = "connect_failed"
    case callStarted = "call_started"
    case callRepeated = "call_repeated"
    case callHedged = "call_hedged"
    case callEnded = "call_ended"
    case watchResumed = "watch_resumed"
    case tokenRefreshed = "token_refreshed"
    case tokenFailed = "token_failed"
  }

  public enum Value: Sendable, Hashable {
    case text(String)
    case number(Int)
  }

  public let level: Level
  public let event: Event
  /// A sentence for people.
  public let text: String
  /// By the names of BEHAVIOUR.md, C5.9.
  public let fields: [String: Value]

  package init(_ level: Level, _ event: Event, _ text: String, _ fields: [String: Value]) {
    self.level = level
    self.event = event
    self.text = text
    self.fields = fields
  }
}

extension ClientLogRecord.Value: CustomStringConvertible {
  public var description: String {
    switch self {
    case .text(let text): text
    case .number(let number): "\(number)"
    }
  }
}

/// Is told what happens to a client, where that happens: it must be quick, and wait for nothing.
public typealias ClientLogFunction = @Sendable (ClientLogRecord) -> Void
