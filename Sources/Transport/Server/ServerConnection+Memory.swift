internal import NIOCore
internal import RPC
internal import Wire

// What peers make us keep: counted per call, bounded for the connection by its machine, and for
// all connections of the same caller by an account.
extension ServerConnection {
  /// How much output goes where: little for peers that may be anybody.
  struct OutputLimits {
    /// Output beyond which messages wait like those without credit: one read can hold hundreds of
    /// calls, each with a reply a thousand times its size.
    let byteCountMax: Int
    let frameByteCountMax: Int
    /// Bytes that the socket has not taken: reading stops above `high` until they are below `low`.
    let waterMark: ChannelOptions.Types.WriteBufferWaterMark

    static let stranger = OutputLimits(
      byteCountMax: 32 << 10, frameByteCountMax: WireLimit.framePayloadByteCountMin,
      waterMark: .init(low: 8 << 10, high: 32 << 10))
    static let caller = OutputLimits(
      byteCountMax: 256 << 10, frameByteCountMax: WireLimit.framePayloadByteCountMax,
      waterMark: .init(low: 64 << 10, high: 256 << 10))
  }

  func apply(_ limits: OutputLimits) {
    outputLimits = limits
    try? context?.channel.syncOptions?.setOption(.writeBufferWaterMark, value: limits.waterMark)
  }

  /// A caller is known on this connection: from now on it may keep what a caller may.
  func callerFound(_ principal: Principal) {
    core.observer?.signedIn(principal, peer: record.peerAddress)
    guard !machine.isCallerKnown, !machine.isClosed else { return }
    peerAuthenticated()
    let grant = machine.callerFound()
    if grant > 0 {
      out.appendCredit(stream: 0, byteCount: grant)
      markDirty()
    }
    apply(.caller)
    let byteCount = machine.buffered.kept.sum + keptByteCount
    _ = account.change(by: -byteCount)
    account = core.accounts.of(userID: principal.userID)
    _ = account.change(by: byteCount)
  }

  /// Counts what a call makes us keep now; ends it when that is too much.
  func settle(_ call: ServerCall) {
    guard !count(call) else { return }
    end(
      call, RPCError(.resourceExhausted, "too much waits for this caller", details: RPCError.busy))
  }

  /// Counts what a call makes us keep now. False when that is too much, and the call must end.
  func count(_ call: ServerCall) -> Bool {
    let (old, new) = (call.kept, call.keptNow)
    guard new != old else { return true }
    call.kept = new
    let isWithinConnection = machine.buffered.changed(from: old, to: new)
    return account.change(by: new.sum - old.sum) && isWithinConnection
  }

  /// How soon the buffers of a connection are looked at again while nothing tells of them.
  private static let bufferInterval = Duration.seconds(1)

  /// Counts the beginning of a frame that is not complete, and what the socket does not take: of a
  /// caller once that is more than it should, of a stranger in any case, since there can be many. A peer
  /// that stands still while there is no more room for it is not waited for.
  func settleBuffers() {
    guard !machine.isClosed else { return }
    let unsent = gate.isWritable && machine.isCallerKnown ? 0 : bufferedByteCount
    // Whole KiB: what is left over of most reads costs no count.
    let byteCount = unsent + (carry.byteCount & ~1023)
    guard byteCount != keptByteCount else { return armForBuffers() }
    defer { keptByteCount = byteCount }
    let isWithin = account.change(by: byteCount - keptByteCount)
    guard !isWithin else { return armForBuffers() }
    core.logger.debug(
      "closing a connection that does not take or finish what it began",
      metadata: ["connection": "\(id)", "remote": "\(record.remoteAddress)"])
    abort()
  }

  /// The socket is gone, with all that it did not take.
  func releaseBuffers() {
    _ = account.change(by: -keptByteCount)
    keptByteCount = 0
  }

  /// Nobody says when the socket has taken what is less than the water mark.
  private func armForBuffers() {
    if gate.isWritable, bufferedByteCount > 0, !machine.isCallerKnown {
      arm(at: core.now() + Self.bufferInterval)
    }
  }

  private var bufferedByteCount: Int {
    (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
  }
}
