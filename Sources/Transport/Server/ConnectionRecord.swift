internal import Wire

/// What a connection tells about itself: to the log, to introspection and to the metrics.
struct ConnectionRecord {
  let id: UInt64
  let acceptedAt: Moment
  var remoteAddress = ""
  /// Without the port; empty where there is none.
  var peerAddress = ""
  var agent = ""
  /// Bytes of frames, before TLS.
  var byteCountIn: Int64 = 0
  var byteCountOut: Int64 = 0
  var counters = CallCounters()

  init(id: UInt64, acceptedAt: Moment) {
    self.id = id
    self.acceptedAt = acceptedAt
  }
}
