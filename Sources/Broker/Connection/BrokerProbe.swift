import Threads

/// Asks whether a broker lets us in, and changes nothing there.
package enum BrokerProbe {
  /// - Returns: why not; nil where it does.
  package static func problem(of target: BrokerTarget) async -> BrokerError? {
    let thread = WorkerThreads(count: 1, waitingMax: 1)
    defer { thread.stop() }
    let found = await thread.value { () -> BrokerError? in
      do throws(BrokerError) {
        try BrokerConnection(target).sayGoodbye()
        return nil
      } catch {
        return error
      }
    }
    return found ?? .unreachable("the system has no thread left")
  }
}

extension BrokerError {
  /// What an operator can do about it.
  package var advice: String {
    switch self {
    case .unreachable, .lost: "start it, or correct the host and the port of `broker-url`"
    case .untrusted:
      "name its authority by `broker-ca`; the host of `broker-url` must be in its certificate"
    case .forbidden: "correct the login in `broker-url`, or the rights of its user"
    case .refused(code: 530, _): "make the virtual host, or correct the path of `broker-url`"
    case .refused: "delete what is there with other properties, or use another `broker-exchange`"
    case .garbled: "`broker-url` must name a RabbitMQ, or another broker of AMQP 0-9-1"
    default: "look into its log"
    }
  }
}
