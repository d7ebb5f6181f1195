import Wire

@testable import Transport

// What always holds of our connections, and what holds when they are gone.

extension ServerConnection {
  /// Between two events.
  func requireSound() {
    require(
      machine.streams.openCallCount == calls.count,
      "\(machine.streams.openCallCount) calls are counted, \(calls.count) are open")
    require(machine.streams.runningHandlerCount >= 0, "handlers ended that never began")
    require(machine.sendWindow.available >= 0, "credit below zero")
    require(machine.receiveWindow.granted >= 0, "granted credit below zero")
    require(machine.receiveWindow.heldByteCount >= 0, "more was given back than came")
    var kept = KeptBytes()
    for call in calls.values {
      require(!call.machine.hasEnded, "a call that has ended is in the table")
      require(call.machine.messages.sendWindow.available >= 0, "a stream's credit below zero")
      require(call.machine.messages.receiveWindow.granted >= 0, "granted credit below zero")
      require(
        call.machine.messages.receiveWindow.heldByteCount >= 0, "more was given back than came")
      kept.input += call.kept.input
      kept.output += call.kept.output
    }
    require(machine.buffered.kept == kept, "kept \(machine.buffered.kept), of calls \(kept)")
  }

  /// After its channel was closed and all handlers were told.
  func requireGone() {
    require(machine.isClosed, "the connection is not closed")
    require(calls.isEmpty, "\(calls.count) calls outlived their connection")
    require(machine.streams.openCallCount == 0, "calls are counted that are gone")
    require(machine.streams.runningHandlerCount == 0, "handlers outlived their connection")
    require(machine.buffered.kept == KeptBytes(), "bytes of calls that are gone are counted")
    require(publicStreams.isEmpty && waiting.blocked.isEmpty, "streams that wait for nothing")
  }
}

extension EmbeddedServer {
  /// When all its connections are gone.
  func requireEmpty() {
    require(core.registry.all.isEmpty, "connections that are gone are registered")
    require(core.accounts.byteCount == 0, "\(core.accounts.byteCount) bytes are kept for nobody")
  }
}

extension ClientConnection {
  /// Between two events.
  func requireSound() {
    // Its end empties the table, and nothing is counted any more.
    guard endError == nil else { return }
    require(
      machine.openCallCount == calls.count,
      "\(machine.openCallCount) calls are counted, \(calls.count) are open")
    require(machine.sendWindow.available >= 0, "credit below zero")
    require(machine.receiveWindow.granted >= 0, "granted credit below zero")
    require(machine.receiveWindow.heldByteCount >= 0, "more was given back than came")
    for call in calls.values {
      require(call.machine.isOpen && !call.hasEnded, "a call that has ended is in the table")
      guard let messages = call.machine.messages else { continue }
      require(messages.sendWindow.available >= 0, "a stream's credit below zero")
      require(messages.receiveWindow.heldByteCount >= 0, "more was given back than came")
    }
    for call in queued { require(!call.hasEnded, "a call that has ended waits for a stream") }
  }

  /// After its channel was closed.
  func requireGone() {
    require(endError != nil, "the connection has not ended")
    require(calls.isEmpty && queued.isEmpty && blocked.isEmpty, "calls outlived their connection")
  }
}
