internal import RPC
internal import Wire

// Calls whose client takes nothing: they end after a time, and say where to resume, so that what they
// hold is held for no longer.
extension ServerConnection {
  /// Output of `call` waits for credit, or for the socket.
  func outputWaits(_ call: ServerCall) {
    guard call.stall.since == nil else { return }
    call.stall.outputWaits(now: core.now())
    if let due = call.stall.due(after: core.configuration.streamStallMax) { arm(at: due) }
  }

  /// When the first of the calls whose output waits will have waited for too long.
  var stallDue: Moment? {
    let limit = core.configuration.streamStallMax
    return calls.values.lazy.compactMap { $0.stall.due(after: limit) }.min()
  }

  /// Ends the calls of which nothing could be sent for too long.
  func endStalledCalls() {
    let limit = core.configuration.streamStallMax
    for call in Array(calls.values) {
      guard let due = call.stall.due(after: limit), due <= now else { continue }
      end(call, RPCError.stalled(for: limit))
    }
  }
}
