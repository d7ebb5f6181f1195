internal import RPC

/// Messages that arrived and were not read yet, the last one perhaps unfinished.
///
/// One flat array: a million tiny messages cost little more than their bytes, which credit bounds.
struct MessageQueue {
  private struct Entry {
    let byteCount: UInt32
    /// What is given back as credit when the message is read.
    let heldByteCount: UInt32
    let isCompressed: Bool
  }

  private var bytes: [UInt8] = []
  private var entries: [Entry] = []
  private var byteHead = 0
  private var entryHead = 0
  private var unfinishedByteCount = 0
  /// The part of the unfinished message whose credit has not been given back.
  private var unfinishedHeldByteCount = 0
  /// Credit to give back for everything in the queue.
  private(set) var heldByteCount = 0

  var isEmpty: Bool { entryHead == entries.count }

  /// All bytes that are here.
  var byteCount: Int { bytes.count - byteHead }

  /// Adds a fragment of a message that continues. Answers with the credit to give back at once: all
  /// of it while the reader waits for this very message, so that one larger than the window does
  /// not stall; nothing while older messages are unread, or there is no reader, so that the sum
  /// stays bounded.
  mutating func hold(_ fragment: UnsafeRawBufferPointer, hasReader: Bool = true) -> Int {
    bytes.append(contentsOf: fragment)
    unfinishedByteCount += fragment.count
    if hasReader, isEmpty { return fragment.count }
    unfinishedHeldByteCount += fragment.count
    heldByteCount += fragment.count
    return 0
  }

  /// There is a reader now. Answers with the credit to give back at once.
  mutating func readerCame() -> Int {
    guard isEmpty else { return 0 }
    defer { unfinishedHeldByteCount = 0 }
    heldByteCount -= unfinishedHeldByteCount
    return unfinishedHeldByteCount
  }

  /// Completes a message with its last fragment.
  mutating func deliver(_ fragment: UnsafeRawBufferPointer, isCompressed: Bool = false) {
    bytes.append(contentsOf: fragment)
    entries.append(
      Entry(
        byteCount: UInt32(clamping: unfinishedByteCount + fragment.count),
        heldByteCount: UInt32(clamping: unfinishedHeldByteCount + fragment.count),
        isCompressed: isCompressed))
    unfinishedByteCount = 0
    unfinishedHeldByteCount = 0
    heldByteCount += fragment.count
  }

  /// Passes the oldest message to `body`, with whether it is compressed, and removes it. The queue must not be
  /// empty. Answers also with the credit to give back.
  mutating func take<Result>(
    _ body: (UnsafeRawBufferPointer, Bool) -> Result
  ) -> (result: Result, byteCount: Int, heldByteCount: Int) {
    let entry = entries[entryHead]
    let end = byteHead + Int(entry.byteCount)
    let result = bytes.withUnsafeBytes {
      body(UnsafeRawBufferPointer(rebasing: $0[byteHead..<end]), entry.isCompressed)
    }
    byteHead = end
    entryHead += 1
    var freedByteCount = Int(entry.heldByteCount)
    if isEmpty {
      // The unfinished message is the next one now.
      freedByteCount += unfinishedHeldByteCount
      unfinishedHeldByteCount = 0
    }
    heldByteCount -= freedByteCount
    compact()
    return (result, Int(entry.byteCount), freedByteCount)
  }

  private mutating func compact() {
    if byteHead == bytes.count {
      // A large message's memory goes back; small ones keep their array.
      bytes.removeAll(keepingCapacity: bytes.capacity <= 4096)
      byteHead = 0
    } else if byteHead > 65536, byteHead > bytes.count / 2 {
      bytes.removeFirst(byteHead)
      byteHead = 0
    }
    if entryHead == entries.count {
      entries.removeAll(keepingCapacity: entries.capacity <= 64)
      entryHead = 0
    } else if entryHead > 1024, entryHead > entries.count / 2 {
      entries.removeFirst(entryHead)
      entryHead = 0
    }
  }
}
