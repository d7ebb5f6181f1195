/// Credit that the peer granted us (W9.2): what may still be sent.
package struct SendWindow: Sendable, Hashable {
  package private(set) var available: Int

  package init(initial: Int) {
    available = initial
  }

  /// Takes credit for `byteCount` bytes; the caller has checked `available`.
  package mutating func take(_ byteCount: Int) {
    assert(byteCount <= available)
    available -= byteCount
  }

  /// The peer sent CREDIT.
  package mutating func creditReceived(_ byteCount: UInt32) throws(WireFault) {
    guard byteCount > 0 else { throw WireFault(.protocolError, "CREDIT of zero bytes") }
    guard Int(byteCount) <= WireLimit.creditMax - available else {
      throw WireFault(.flowControl, "CREDIT above 2147483647 in sum")
    }
    available += Int(byteCount)
  }
}

/// Credit that we granted the peer: what it may still send, and what we have not yet given back.
///
/// The three parts always sum up to the initial amount: granted (the peer may send it), held
/// (received, not consumed), consumed (not granted again yet).
package struct ReceiveWindow: Sendable, Hashable {
  package private(set) var initial: Int
  package private(set) var granted: Int
  private var consumed = 0

  /// Received, and not consumed yet.
  package var heldByteCount: Int { initial - granted - consumed }

  package init(initial: Int) {
    self.initial = initial
    granted = initial
  }

  /// Message bytes arrived.
  package mutating func received(_ byteCount: Int) throws(WireFault) {
    guard byteCount <= granted else {
      throw WireFault(.flowControl, "more message bytes than credit")
    }
    granted -= byteCount
  }

  /// Raises the initial amount to `byteCount`. Answers with what to grant for that now.
  package mutating func grow(to byteCount: Int) -> Int {
    let grant = max(0, byteCount - initial)
    initial += grant
    granted += grant
    return grant
  }

  /// Received bytes were consumed. Answers with what to grant now: 0 until a quarter of the initial
  /// amount has gathered (W9.5), and not less than counts (W9.7), so that small messages do not cost a
  /// frame each. Of a small amount
  /// everything goes back at once: what is held back would keep the sender below a fragment (W9.2).
  package mutating func consume(_ byteCount: Int) -> Int {
    consumed += byteCount
    let step =
      initial < 2 * WireLimit.fragmentByteCountMin
      ? 1 : max(initial / 4, WireLimit.fragmentByteCountMin)
    guard consumed >= step else { return 0 }
    let grant = consumed
    consumed = 0
    granted += grant
    return grant
  }
}
