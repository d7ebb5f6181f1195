import Wire

/// Reads what one of our sides sends, as a peer would that forgives nothing: every frame is whole and
/// well formed, and no more message bytes are sent than there is credit for.
struct FrameChecker {
  /// Whose frames these are.
  enum Sender { case server, client }

  struct Frame {
    let kind: FrameKind
    let header: FrameHeader
    let payload: [UInt8]

    /// Bytes of messages in it: what is counted against credit.
    var messageByteCount: Int {
      if kind == .message { return payload.count }
      guard kind == .call || kind == .end, header.flags.contains(.hasMessage) else { return 0 }
      return payload.count - 2 - (Int(payload[0]) << 8 + Int(payload[1]))
    }

    var credit: Int {
      kind == .credit ? payload.reduce(0) { $0 << 8 | Int($1) } : 0
    }
  }

  private let sender: Sender
  private var bytes: [UInt8] = []
  private(set) var frameCount = 0

  init(_ sender: Sender) { self.sender = sender }

  /// Whether no frame has begun that is not whole.
  var isAtFrameEnd: Bool { bytes.isEmpty }

  mutating func take(_ output: [UInt8]) -> [Frame] {
    bytes += output
    var frames: [Frame] = []
    var at = 0
    while let header = bytes[at...].withUnsafeBytes({ FrameHeader($0) }) {
      let end = at + FrameHeader.byteCount + Int(header.payloadByteCount)
      guard let kind = header.kind else { fatalError("we sent an unknown kind of frame") }
      let isWellFormed =
        sender == .server
        ? kind.isWellFormedFromServer(header) : kind.isWellFormedFromClient(header)
      require(isWellFormed, "we sent \(kind) \(header)")
      require((frameCount == 0) == (kind == .hello) || kind == .goAway, "HELLO first, and once")
      guard end <= bytes.count else { break }
      frames.append(
        Frame(kind: kind, header: header, payload: Array(bytes[(at + FrameHeader.byteCount)..<end]))
      )
      frameCount += 1
      at = end
    }
    bytes.removeFirst(at)
    return frames
  }
}
