/// Metadata of a call or trailer (W5.3): decoded and bounded.
package struct Metadata: Sendable {
  package private(set) var entries: [(String, String)] = []
  /// Those whose value is bytes.
  package private(set) var binaryEntries: [(String, [UInt8])] = []
  private var byteCount = 0
  private let allowsBinary: Bool

  /// The end of a key whose value is bytes, since minor version 1.
  package static let binarySuffix = "-bin"

  /// - Parameter minorVersion: what both sides speak.
  package init(minorVersion: UInt16 = 0) {
    allowsBinary = minorVersion >= 1
  }

  package var isEmpty: Bool { entries.isEmpty && binaryEntries.isEmpty }

  /// Adds the field of one entry.
  package mutating func add(
    _ field: UnsafeRawBufferPointer, byteCountMax: Int
  ) throws(InputFault) {
    guard let keyByteCount = field.first.map(Int.init), keyByteCount < field.count else {
      throw .connection(WireFault(.protocolError, "a metadata entry that is cut short"))
    }
    byteCount += field.count - 1
    guard byteCount <= byteCountMax,
      entries.count + binaryEntries.count < WireLimit.metadataEntryCountMax
    else {
      throw .call(CallFault(.invalidArgument, "too much metadata"))
    }
    let key = UnsafeRawBufferPointer(rebasing: field[1..<1 + keyByteCount])
    let value = UnsafeRawBufferPointer(rebasing: field[(1 + keyByteCount)...])
    guard Self.isKey(key) else {
      throw .call(CallFault(.invalidArgument, "a metadata key that is not allowed"))
    }
    guard let keyText = WireText.decode(key) else {
      throw .call(CallFault(.invalidArgument, "a metadata key that is not allowed"))
    }
    if allowsBinary, key.suffix(4).elementsEqual(Self.binarySuffix.utf8) {
      binaryEntries.append((keyText, Array(value)))
      return
    }
    guard let valueText = WireText.decode(value) else {
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

  /// The longest prefix of `entries`, and then of `binaryEntries`, that may be sent within `byteCountMax`.
  package static func sendable(
    _ entries: [(String, String)], _ binaryEntries: [(String, [UInt8])] = [], byteCountMax: Int,
    minorVersion: UInt16 = WireLimit.minorVersion
  ) -> SendableMetadata {
    var byteCount = 0
    var kept = SendableMetadata()
    for (key, value) in entries where isKey(key.utf8) && !value.utf8.contains(0) {
      if minorVersion >= 1, key.hasSuffix(binarySuffix) { continue }
      byteCount += key.utf8.count + value.utf8.count
      if byteCount > byteCountMax || kept.count == WireLimit.metadataEntryCountMax { return kept }
      kept.entries.append((key, value))
    }
    guard minorVersion >= 1 else { return kept }
    for (key, value) in binaryEntries where isKey(key.utf8) && key.hasSuffix(binarySuffix) {
      byteCount += key.utf8.count + value.count
      if byteCount > byteCountMax || kept.count == WireLimit.metadataEntryCountMax { return kept }
      kept.binaryEntries.append((key, value))
    }
    return kept
  }
}

/// Metadata within its limits.
package struct SendableMetadata: Sendable {
  package var entries: [(String, String)] = []
  package var binaryEntries: [(String, [UInt8])] = []

  package init() {}

  /// Of text, which the caller keeps within the limits.
  package init(_ entries: [(String, String)]) {
    self.entries = entries
  }

  package var count: Int { entries.count + binaryEntries.count }

  /// Adds a field for each entry.
  func add(to writer: inout BlockWriter) {
    for (key, value) in entries { writer.add(6, key: key, value: value.utf8) }
    for (key, value) in binaryEntries { writer.add(6, key: key, value: value) }
  }
}
