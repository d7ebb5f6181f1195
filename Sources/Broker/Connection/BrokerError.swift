/// Why a broker does not do what it was asked. The texts are for logs and admins; no secret is in them.
package enum BrokerError: Error, Sendable, Hashable, CustomStringConvertible {
  /// No connection.
  case unreachable(String)
  /// TLS failed.
  case untrusted(String)
  /// It does not let us in, or not do that.
  case forbidden(String)
  /// It closed channel or connection, with a code of AMQP.
  case refused(code: Int, String)
  /// The connection ended, or nothing came in time.
  case lost(String)
  /// It does not speak AMQP 0-9-1, or sends what cannot be.
  case garbled(String)
  /// It could not take a message now.
  case rejected(position: Int64)
  /// It takes messages, and confirms none.
  case unconfirmed(for: Duration)
  /// No queue takes what is published, also not the one for that.
  case unroutable(String)
  /// It ended the consumer: the queue is gone.
  case cancelled
  /// Nobody wants the connection any more.
  case stopped

  package var description: String {
    switch self {
    case .unreachable(let text): "the broker cannot be reached: \(text)"
    case .untrusted(let text): "the broker's TLS is not trusted: \(text)"
    case .forbidden(let text): "the broker does not let us in: \(text)"
    case .refused(let code, let text): "the broker refuses (\(code)): \(text)"
    case .lost(let text): "the connection to the broker broke: \(text)"
    case .garbled(let text): "the broker sends what is not AMQP 0-9-1: \(text)"
    case .rejected(let position): "the broker could not store event \(position)"
    case .unconfirmed(let time):
      "the broker confirmed nothing for \(time): has every queue a leader?"
    case .unroutable(let id): "no queue took event \(id), also not the one for what nobody takes"
    case .cancelled: "the broker ended the consumer: its queue is gone"
    case .stopped: "the connection to the broker is not needed any more"
    }
  }

  /// Whether a new connection alone puts nothing right.
  var isOfConfirming: Bool {
    switch self {
    case .rejected, .unconfirmed, .unroutable: true
    default: false
    }
  }
}
