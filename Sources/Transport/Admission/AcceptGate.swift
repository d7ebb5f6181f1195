internal import Glibc
internal import Logging
internal import Logs
internal import NIOCore

/// Stops a listening socket from accepting before the process runs out of descriptors. New clients wait
/// in the kernel's queue meanwhile.
///
/// Counts sockets from their accept until the system has them back, which is more than the connections
/// that are admitted: those that were refused or replaced are still being closed.
final class AcceptGate: ChannelInboundHandler {
  typealias InboundIn = any Channel
  typealias InboundOut = any Channel

  /// Sockets that may be open beside the connections that are admitted; a round of accepting may go
  /// over it by as many as it takes at once.
  static let closingCountMax = 16
  /// How long nothing is accepted after there was no descriptor.
  private static let restTime = TimeAmount.milliseconds(100)

  private var machine: AcceptMachine
  private let log: MeteredLogger

  init(connectionCountMax: Int, logger: Logger) {
    machine = AcceptMachine(socketCountMax: connectionCountMax + Self.closingCountMax)
    log = MeteredLogger(logger, LogMeters(LogMeter(burst: 1, interval: .seconds(60))))
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    unwrapInboundIn(data).closeFuture.hop(to: context.eventLoop).whenComplete { _ in
      let (gate, context) = bound.value
      gate.perform(gate.machine.closed(), context)
    }
    perform(machine.accepted(), context)
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch (error as? IOError)?.errnoCode {
    case EMFILE, ENFILE, ENOBUFS, ENOMEM:
      log.write(
        .warning, "cannot accept connections now", kind: "accept", metadata: ["error": "\(error)"])
      perform(machine.failed(), context)
    default:
      context.fireErrorCaught(error)
    }
  }

  private func perform(_ action: AcceptMachine.Action, _ context: ChannelHandlerContext) {
    switch action {
    case .nothing: break
    case .pause: accept(false, context)
    case .resume: accept(true, context)
    case .rest:
      accept(false, context)
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      context.eventLoop.scheduleTask(in: Self.restTime) {
        let (gate, context) = bound.value
        gate.perform(gate.machine.rested(), context)
      }
    }
  }

  private func accept(_ isAccepting: Bool, _ context: ChannelHandlerContext) {
    // Fails where the server has closed the socket meanwhile.
    try? context.channel.syncOptions?.setOption(.autoRead, value: isAccepting)
  }
}
