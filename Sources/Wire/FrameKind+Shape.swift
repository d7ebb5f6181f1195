/// The table of W2.3 and W2.4: which stream, flags and size a kind may have, by sender.
extension FrameKind {
  package func isWellFormedFromClient(_ header: FrameHeader) -> Bool {
    let flags = header.flags
    let size = header.payloadByteCount
    switch self {
    case .hello:
      return header.stream == 0 && flags.isEmpty && size >= 2
    case .call:
      guard header.isClientStream, size >= 2, !flags.hasEndAndMore else { return false }
      if !flags.isDisjoint(with: [.more, .compressed]), !flags.contains(.hasMessage) {
        return false
      }
      return flags.isSubset(of: [.end, .more, .hasMessage, .compressed])
    case .message:
      return header.isClientStream && flags.isSubset(of: [.end, .more, .compressed])
        && !flags.hasEndAndMore
    case .end, .cancel:
      return header.isClientStream && flags.isEmpty && size == 0
    case .credit:
      return (header.stream == 0 || header.isClientStream) && flags.isEmpty && size == 4
    case .ping, .pong:
      return header.stream == 0 && flags.isEmpty && size == 8
    case .goAway:
      return header.stream == 0 && flags.isEmpty && size >= 6
    case .head:
      return false
    }
  }

  package func isWellFormedFromServer(_ header: FrameHeader) -> Bool {
    let flags = header.flags
    switch self {
    case .call, .cancel:
      return false
    case .message:
      return header.isClientStream && flags.isSubset(of: [.more, .compressed])
    case .head:
      return header.isClientStream && flags.isEmpty && header.payloadByteCount >= 2
    case .end:
      if flags.contains(.compressed), !flags.contains(.hasMessage) { return false }
      return header.isClientStream && flags.isSubset(of: [.hasMessage, .compressed])
        && header.payloadByteCount >= 2
    case .hello, .credit, .ping, .pong, .goAway:
      return isWellFormedFromClient(header)
    }
  }
}

extension FrameHeader {
  fileprivate var isClientStream: Bool { stream & 1 == 1 && stream <= WireLimit.streamIDMax }
}

extension FrameFlags {
  fileprivate var hasEndAndMore: Bool { isSuperset(of: [.end, .more]) }
}
