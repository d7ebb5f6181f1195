internal import RPC
internal import Wire

// What the server's admission hears of a connection: who its peer is, and its public streams.
extension ServerConnection {
  /// A token of a call or a certificate was accepted: from now on no newcomer takes this place.
  func peerAuthenticated() {
    guard !machine.isPeerAuthenticated else { return }
    machine.peerAuthenticated()
    core.registry.authenticated(id)
    // Those that are open last, and count, like any other from now on.
    for _ in publicStreams { core.registry.publicStreamClosed(on: id) }
    publicStreams = [:]
  }

  /// Counts a stream that needs no token; what is wrong when there are too many.
  func admitPublicStream(_ call: ServerCall) -> CallFault? {
    guard call.route.method.kind != .unary, call.route.rule.callers == .anybody,
      !machine.isPeerAuthenticated
    else { return nil }
    guard core.registry.publicStreamOpened(on: id) else {
      return CallFault(
        .resourceExhausted, "too many streams without a token; end one, or send a token")
    }
    publicStreams[call.stream] = now + core.configuration.publicStreamTimeMax
    return nil
  }

  /// A stream has ended, of whatever kind.
  func publicStreamEnded(_ stream: UInt32) {
    guard !publicStreams.isEmpty, publicStreams.removeValue(forKey: stream) != nil else { return }
    core.registry.publicStreamClosed(on: id)
  }

  /// Ends the public streams that have lasted long enough; their clients open them again.
  func endOldPublicStreams() {
    for (stream, due) in publicStreams where due <= now {
      guard let call = calls[stream] else { continue }
      end(
        call, RPCError(.unavailable, "a stream without a token ends after a while; open it again"))
    }
  }
}
