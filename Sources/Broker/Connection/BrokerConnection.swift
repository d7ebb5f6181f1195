import CRabbitMQ

/// How connections to a broker are made.
package struct BrokerTarget: Sendable, Hashable {
  package var address: BrokerAddress
  /// A PEM file of the only authorities to trust; nil: the system's.
  package var authorityFile: String?
  /// Shown by the broker, for example `hito publisher`.
  package var name: String
  package var heartbeat = Duration.seconds(10)
  package var timeout = Duration.seconds(10)

  package init(address: BrokerAddress, authorityFile: String? = nil, name: String) {
    self.address = address
    self.authorityFile = authorityFile
    self.name = name
  }
}

/// What a broker said.
enum BrokerEvent: Sendable, Hashable {
  case confirmed(tag: UInt64, isMultiple: Bool)
  case rejected(tag: UInt64, isMultiple: Bool)
  /// No queue took the message; it is confirmed all the same.
  case returned(messageID: String)
  case delivered(tag: UInt64, body: String)
  case blocked(reason: String)
  case unblocked
}

/// A connection with one channel. Confined to the thread that made it; all calls block.
final class BrokerConnection {
  private let handle: OpaquePointer
  private var event = hito_amqp_event()
  /// The socket's, for `interrupt`.
  let descriptor: Int32

  init(_ target: BrokerTarget) throws(BrokerError) {
    let address = target.address
    var error = hito_amqp_error()
    let made = address.host.withCString { host in
      address.virtualHost.withCString { virtualHost in
        address.user.withCString { user in
          address.password.withCString { password in
            target.name.withCString { name in
              target.authorityFile.withOptionalCString { authority in
                var asked = hito_amqp_target(
                  host: host, port: Int32(address.port), virtual_host: virtualHost, user: user,
                  password: password, name: name, uses_tls: address.usesTLS ? 1 : 0,
                  authority_file: authority,
                  heartbeat_s: Int32(target.heartbeat.components.seconds),
                  timeout_ms: Int32(target.timeout.components.seconds * 1000))
                return hito_amqp_take(&asked, &error)
              }
            }
          }
        }
      }
    }
    guard let made else { throw BrokerError(error) }
    handle = made
    descriptor = hito_amqp_descriptor(made)
  }

  deinit { hito_amqp_free(handle) }

  /// Ends the channel and the connection so that the broker knows why; the object is of no use after it.
  func sayGoodbye() { hito_amqp_say_goodbye(handle) }

  /// Ends whatever waits for the connection, from any thread, as long as it is there.
  static func interrupt(_ descriptor: Int32) { hito_amqp_interrupt(descriptor) }

  private func check(
    _ body: (inout hito_amqp_error) -> Int32
  ) throws(BrokerError) {
    var error = hito_amqp_error()
    guard body(&error) == 0 else { throw BrokerError(error) }
  }

  func declareExchange(
    _ name: String, type: String, alternate: String? = nil
  ) throws(BrokerError) {
    try check { error in
      alternate.withOptionalCString { hito_amqp_declare_exchange(handle, name, type, $0, &error) }
    }
  }

  func declareQueue(_ queue: BrokerQueue) throws(BrokerError) {
    try check { error in
      queue.name.withCString { name in
        var asked = hito_amqp_queue(
          name: name, length_max: queue.lengthMax, is_for_one: queue.isForOne ? 1 : 0)
        return hito_amqp_declare_queue(handle, &asked, &error)
      }
    }
  }

  func bind(_ queue: String, to exchange: String, key: String) throws(BrokerError) {
    try check { hito_amqp_bind(handle, queue, exchange, key, &$0) }
  }

  func confirmAll() throws(BrokerError) { try check { hito_amqp_confirm(handle, &$0) } }

  func consume(_ queue: String, prefetch: Int) throws(BrokerError) {
    try check { hito_amqp_consume(handle, queue, UInt16(clamping: prefetch), &$0) }
  }

  func publish(_ message: OutgoingEvent, to exchange: String) throws(BrokerError) {
    try check { error in
      exchange.withCString { exchange in
        message.type.withCString { type in
          message.id.withCString { id in
            message.body.withUnsafeBytes { body in
              var sent = hito_amqp_message(
                exchange: exchange, routing_key: type, message_id: id, type: type,
                timestamp: message.secondsSinceEpoch, body: body.baseAddress,
                body_size: body.count)
              return hito_amqp_publish(handle, &sent, &error)
            }
          }
        }
      }
    }
  }

  func acknowledge(_ tag: UInt64, isMultiple: Bool) throws(BrokerError) {
    try check { hito_amqp_acknowledge(handle, tag, isMultiple ? 1 : 0, &$0) }
  }

  /// Refuses a delivery for good.
  func reject(_ tag: UInt64) throws(BrokerError) {
    try check { hito_amqp_reject(handle, tag, &$0) }
  }

  /// What came next; nil where nothing is complete yet. Sends heartbeats that are due.
  func next() throws(BrokerError) -> BrokerEvent? {
    var error = hito_amqp_error()
    guard hito_amqp_next(handle, &event, &error) == 0 else { throw BrokerError(error) }
    let isMultiple = event.is_multiple != 0
    switch event.kind {
    case HITO_AMQP_CONFIRMED: return .confirmed(tag: event.tag, isMultiple: isMultiple)
    case HITO_AMQP_REJECTED: return .rejected(tag: event.tag, isMultiple: isMultiple)
    case HITO_AMQP_RETURNED: return .returned(messageID: text)
    case HITO_AMQP_DELIVERED:
      let body = UnsafeRawBufferPointer(start: event.body_borrow, count: event.body_size)
      return .delivered(tag: event.tag, body: String(decoding: body, as: UTF8.self))
    case HITO_AMQP_BLOCKED: return .blocked(reason: text)
    case HITO_AMQP_UNBLOCKED: return .unblocked
    case HITO_AMQP_CANCELLED: throw .cancelled
    default: return nil
    }
  }

  private var text: String {
    withUnsafeBytes(of: &event.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// Waits until something may have come, for `wake`, or for so long.
  ///
  /// - Returns: whether it was `wake`.
  func wait(_ wake: Wake, upTo limit: Duration) -> Bool {
    hito_amqp_wait(handle, wake.descriptor, limit.milliseconds) != 0
  }

  /// Whether a small message would be taken without blocking.
  var isWritable: Bool { hito_amqp_is_writable(handle) != 0 }

  /// Has what `body` sends leave in full packets: librabbitmq sends each message by itself, in three parts,
  /// and the broker would be woken for each.
  func together<Result>(_ body: () throws(BrokerError) -> Result) throws(BrokerError) -> Result {
    hito_amqp_hold(handle, 1)
    defer { hito_amqp_hold(handle, 0) }
    return try body()
  }
}

/// Wakes a thread that waits for a connection, or for nothing else.
final class Wake: Sendable {
  let descriptor: Int32

  init() { descriptor = hito_amqp_wake_take() }

  deinit { hito_amqp_wake_free(descriptor) }

  func ring() { hito_amqp_wake_ring(descriptor) }
  func clear() { hito_amqp_wake_clear(descriptor) }

  func wait(upTo limit: Duration) {
    hito_amqp_wake_wait(descriptor, limit.milliseconds)
    clear()
  }
}

extension Duration {
  /// Rounded up, so that nobody spins through the last one.
  fileprivate var milliseconds: Int32 {
    let (seconds, attoseconds) = components
    return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
  }
}

extension String? {
  fileprivate func withOptionalCString<Result>(
    _ body: (UnsafePointer<CChar>?) -> Result
  ) -> Result {
    if let self { self.withCString(body) } else { body(nil) }
  }
}

extension BrokerError {
  fileprivate init(_ error: hito_amqp_error) {
    var error = error
    let text = withUnsafeBytes(of: &error.text) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    self =
      switch error.outcome {
      case HITO_AMQP_UNREACHABLE: .unreachable(text)
      case HITO_AMQP_UNTRUSTED: .untrusted(text)
      case HITO_AMQP_LOGIN: .forbidden(text)
      case HITO_AMQP_REFUSED: .refused(code: Int(error.code), text)
      case HITO_AMQP_GARBLED: .garbled(text)
      default: .lost(text)
      }
  }
}
