internal import NIOCore
internal import Wire

// A connection that says nothing more: its last words are on their way.
extension ServerConnection {
  /// How long the last words get where nothing of worth is on its way, and the least that they get.
  static let lingerTimeMin = Duration.seconds(1)

  /// Closes after what is in the output: first our side, then, when the client has had time to read
  /// the last words, the rest. Closing at once would reset what is on the way to the client.
  func beginLinger(_ context: ChannelHandlerContext, grace: Duration) {
    linger = LingerMachine(
      grace: max(grace, Self.lingerTimeMin), unwrittenByteCount: unwrittenByteCount(context),
      now: core.now())
    let closed = loop.makePromise(of: Void.self)
    closed.futureResult.whenSuccess { self.outputClosed() }
    context.close(mode: .output, promise: closed)
    // Also from a client that was not read from: what is left unread would reset the connection.
    context.read()
    armLinger()
  }

  private func outputClosed() {
    linger?.outputClosed(now: core.now())
    armLinger()
  }

  private func armLinger() {
    guard let due = linger?.due, timer.isLater(than: due) else { return }
    timer.set(for: due, now: core.now(), on: loop) { self.lingerTimerFired() }
  }

  private func lingerTimerFired() {
    timer.fired()
    guard let context else { return }
    let left = unwrittenByteCount(context)
    if linger?.timerFired(unwrittenByteCount: left, now: core.now()) ?? true {
      context.close(promise: nil)
    } else {
      armLinger()
    }
  }

  /// What the kernel has not taken yet.
  private func unwrittenByteCount(_ context: ChannelHandlerContext) -> Int {
    (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
  }
}
