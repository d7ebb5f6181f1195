/// Metadata of a call or trailer (W5.3): decoded and bounded.
package struct Metadata: Sendable {
  package private(set) var entries: [(String, String)] = []
  private var byteCount = 0

  package init() {}

  /// Adds the field of one entry.
  package mutating func add(
    _ field: UnsafeRawBufferPointer, byteCountMax: Int
  ) throws(InputFault) {
    guard let keyByteCount = field.first.map(Int.init), keyByteCount < field.count else {
      throw .connection(WireFault(.protocolError, "a metadata entry that is cut short"))
    }
    byteCount += field.count - 1
    guard byteCount <= byteCountMax, entries.count < WireLimit.metadataEntryCountMax else {
      throw .call(CallFault(.invalidArgument, "too much metadata"))
    }
    let key = UnsafeRawBufferPointer(rebasing: field[1..<1 + keyByteCount])
    let value = UnsafeRawBufferPointer(rebasing: field[(1 + keyByteCount)...])
    guard Self.isKey(key) else {
      throw .call(CallFault(.invalidArgument, "a metadata key that is not allowed"))
    }
    guard let keyText = WireText.decode(key), let valueText = WireText.decode(value) else {
      throw .call(CallFault(.invalidArgument, "a metadata value that is not text"))
    }
    entries.append((keyText, valueText))
  }

  /// Whether `key` may be sent.
  package static func isKey(_ key: some Collection<UInt8>) -> Bool {
    guard !key.isEmpty, key.count <= WireLimit.metadataKeyByteCountMax else { return false }
    return key.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }

  /// The longest prefix of `entries` that may be sent within `byteCountMax`.
  package static func sendable(
    _ entries: [(String, String)], byteCountMax: Int
  ) -> [(String, String)] {
    var byteCount = 0
    var kept: [(String, String)] = []
    for (key, value) in entries where isKey(key.utf8) && !value.utf8.contains(0) {
      byteCount += key.utf8.count + value.utf8.count
      if byteCount > byteCountMax || kept.count == WireLimit.metadataEntryCountMax { break }
      kept.append((key, value))
    }
    return kept
  }
}
