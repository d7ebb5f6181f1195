internal import RPC

/// Messages that arrived and were not read yet, the last one perhaps unfinished.
///
/// One flat array: a million tiny messages cost little more than their bytes, which credit bounds.
struct MessageQueue {
  private struct Entry {
    let byteCount: UInt32
    /// What is given back as credit when the message is read.
    let heldByteCount: UInt32
  }

  private var bytes: [UInt8] = []
  private var entries: [Entry] = []
  private var byteHead = 0
  private var entryHead = 0
  private var unfinishedByteCount = 0
  /// Credit to give back for everything in the queue.
  private(set) var heldByteCount = 0

  var isEmpty: Bool { entryHead == entries.count }

  /// Adds a fragment of a message that goes on; its credit has been given back already.
  mutating func hold(_ fragment: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: fragment)
    unfinishedByteCount += fragment.count
  }

  /// Completes a message with its last fragment.
  mutating func deliver(_ fragment: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: fragment)
    entries.append(
      Entry(
        byteCount: UInt32(clamping: unfinishedByteCount + fragment.count),
        heldByteCount: UInt32(clamping: fragment.count)))
    unfinishedByteCount = 0
    heldByteCount += fragment.count
  }

  /// Passes the oldest message to `body` and removes it. The queue must not be empty.
  mutating func take<Result>(
    _ body: (UnsafeRawBufferPointer) -> Result
  ) -> (result: Result, byteCount: Int, heldByteCount: Int) {
    let entry = entries[entryHead]
    let end = byteHead + Int(entry.byteCount)
    let result = bytes.withUnsafeBytes {
      body(UnsafeRawBufferPointer(rebasing: $0[byteHead..<end]))
    }
    byteHead = end
    entryHead += 1
    heldByteCount -= Int(entry.heldByteCount)
    compact()
    return (result, Int(entry.byteCount), Int(entry.heldByteCount))
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
