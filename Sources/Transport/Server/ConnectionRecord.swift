internal import Wire

/// What a connection tells about itself: to the log, to introspection and to the metrics.
struct ConnectionRecord {
  let id: UInt64
  let acceptedAt: ContinuousClock.Instant
  var remoteAddress = ""
  /// Without the port; empty where there is none.
  var peerAddress = ""
  var agent = ""
  /// Bytes of frames, before TLS.
  var byteCountIn: Int64 = 0
  var byteCountOut: Int64 = 0
  var counters = CallCounters()

  init(id: UInt64, acceptedAt: ContinuousClock.Instant) {
    self.id = id
    self.acceptedAt = acceptedAt
  }

  func snapshot(
    _ calls: some Collection<ServerCall>, isDraining: Bool, now: ContinuousClock.Instant
  ) -> ServerSnapshot.Connection {
    let calls = calls.map { call in
      ServerSnapshot.Call(
        stream: call.stream, path: call.route.method.path,
        userID: call.context?.principal?.userID, age: call.receivedAt.duration(to: now))
    }
    return ServerSnapshot.Connection(
      id: id, remoteAddress: remoteAddress, agent: agent, age: acceptedAt.duration(to: now),
      isDraining: isDraining, byteCountIn: byteCountIn, byteCountOut: byteCountOut,
      calls: calls.sorted { $0.stream < $1.stream })
  }
}
