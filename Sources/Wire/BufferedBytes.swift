/// What one client makes the server keep: messages that are not complete, and replies for which the
/// client grants no credit. The one place where both are counted and bounded.
package struct BufferedBytes: Sendable, Hashable {
  private let inputByteCountMax: Int
  private let replyByteCountMax: Int
  /// Bytes of messages that have begun and are not complete.
  package private(set) var inputByteCount = 0
  /// Bytes of replies that wait for credit.
  package private(set) var replyByteCount = 0

  package init(inputByteCountMax: Int, replyByteCountMax: Int) {
    self.inputByteCountMax = inputByteCountMax
    self.replyByteCountMax = replyByteCountMax
  }

  /// A fragment of an unfinished message is kept; false when the sum is above the limit (W6.5).
  package mutating func inputKept(byteCount: Int) -> Bool {
    inputByteCount += byteCount
    return inputByteCount <= inputByteCountMax
  }

  /// A message is complete, of which so many bytes were kept.
  package mutating func inputCompleted(byteCount: Int) {
    inputByteCount -= byteCount
  }

  /// A reply is kept; false when the sum is above the limit: a client that grants nothing must not
  /// make us keep its replies.
  package mutating func replyKept(byteCount: Int) -> Bool {
    replyByteCount += byteCount
    return replyByteCount <= replyByteCountMax
  }

  /// A call has ended.
  package mutating func callEnded(_ release: ServerCallMachine.Release) {
    inputByteCount -= release.unfinishedByteCount
    replyByteCount -= release.replyByteCount
  }
}
