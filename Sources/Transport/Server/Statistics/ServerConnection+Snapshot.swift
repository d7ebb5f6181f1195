internal import RPC
internal import Wire

extension ServerConnection {
  /// What is running here; nil when it is closing. On the loop.
  func snapshot(now: Moment) -> ServerSnapshot.Connection? {
    guard !machine.isClosed else { return nil }
    let calls = calls.values.map { snapshot(of: $0, now: now) }
    return ServerSnapshot.Connection(
      id: id, remoteAddress: record.remoteAddress, agent: record.agent,
      userID: identity.lastPrincipal?.userID ?? calls.lazy.compactMap(\.userID).first ?? "",
      age: record.acceptedAt.duration(to: now), isDraining: machine.isDraining,
      minorVersion: machine.minorVersion,
      encodings: MessageEncoding.allCases.filter(machine.peerEncodings.contains).map { "\($0)" },
      creditLeft: machine.sendWindow.available, creditOwed: machine.owedCredit,
      keptByteCount: machine.buffered.kept.sum + keptByteCount,
      byteCountIn: record.byteCountIn, byteCountOut: record.byteCountOut,
      calls: calls.sorted { $0.stream < $1.stream })
  }

  private func snapshot(
    of call: ServerCall, now: Moment
  ) -> ServerSnapshot.Call {
    let trace = (call.context?.traceparent ?? call.traceparent).flatMap(TraceParent.init)
    return ServerSnapshot.Call(
      stream: call.stream, path: call.route.method.path, kind: call.route.method.kind,
      userID: call.principal?.userID, age: call.receivedAt.duration(to: now),
      timeLeft: call.deadline.map { max(.zero, now.duration(to: $0)) }, phase: phase(of: call),
      traceID: trace?.traceID ?? "")
  }

  private func phase(of call: ServerCall) -> CallStage {
    if call.machine.isAwaitingCaller { return .awaitingCaller }
    if call.machine.messages.isMessageWaiting { return .awaitingCredit }
    guard let context = call.context else { return .awaitingRequest }
    return context.isAwaitingTurn ? .awaitingTurn : .running
  }
}
