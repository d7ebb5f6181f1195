import Domain
import RPC
import Service
import Transport

// What runs in the network's part, for introspection.
extension ServerComponents {
  func statistics() async -> ServerTotals {
    guard let server = server.withLock({ $0 }) else { return ServerTotals() }
    return await server.statistics()
  }

  private func snapshot() async -> ServerSnapshot {
    guard let server = server.withLock({ $0 }) else { return ServerSnapshot() }
    return await server.snapshot()
  }

  func connections() async -> [ConnectionState] {
    let now = clock.now()
    return await snapshot().connections.map { connection in
      var state = ConnectionState(
        id: connection.id, peer: connection.remoteAddress, agent: connection.agent,
        userID: connection.userID, streamCount: connection.calls.count,
        openedAt: now.advanced(by: .zero - connection.age),
        byteCountIn: connection.byteCountIn, byteCountOut: connection.byteCountOut)
      state.minorVersion = connection.minorVersion
      state.encodings = connection.encodings
      state.creditLeft = connection.creditLeft
      state.creditOwed = connection.creditOwed
      state.keptByteCount = connection.keptByteCount
      state.waitingCallCount = connection.calls.count { $0.phase == .awaitingCredit }
      state.isDraining = connection.isDraining
      return state
    }
  }

  func calls() async -> [CallState] {
    await snapshot().connections.flatMap { connection in
      connection.calls.map { call in
        var state = CallState(
          connectionID: connection.id, streamID: call.stream, method: call.path,
          userID: call.userID ?? "", age: call.age)
        state.kind = call.kind
        state.timeLeft = call.timeLeft
        state.phase = call.phase
        state.traceID = call.traceID
        return state
      }
    }
  }
}
