import Domain
import JSON

/// Bytes as they are.
struct Bytes: SQLValue {
  static var sqlType: SQLType { .bytea }
  static var arrayType: SQLType { .byteaArray }

  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func encode(to output: inout [UInt8]) -> Bool {
    output += bytes
    return true
  }

  init?(cell: UnsafeRawBufferPointer) { bytes = Array(cell) }
}

/// A column of texts (`text[]`); NULL is read as none.
struct TextList: SQLValue {
  static var sqlType: SQLType { .textArray }
  /// Arrays of arrays must not be ragged in the binary format: their elements are literals.
  static var arrayType: SQLType { .textArray }
  static var elementCast: String { "::text[]" }
  static var null: TextList? { TextList([]) }

  var texts: [String]

  init(_ texts: [String]) { self.texts = texts }

  func encode(to bytes: inout [UInt8]) -> Bool {
    var array = ArrayEncoder(.textArray, capacity: texts.count)
    for text in texts { array.append(text) }
    array.write(to: &bytes)
    return true
  }

  func encodeElement(to bytes: inout [UInt8]) -> Bool { literal.encode(to: &bytes) }

  private var literal: String {
    var output = "{"
    for (index, text) in texts.enumerated() {
      if index > 0 { output += "," }
      output += "\""
      for scalar in text.unicodeScalars {
        if scalar == "\"" || scalar == "\\" { output += "\\" }
        output.unicodeScalars.append(scalar)
      }
      output += "\""
    }
    return output + "}"
  }

  /// One dimension of texts without NULLs.
  init?(cell: UnsafeRawBufferPointer) {
    texts = []
    guard let dimensions = cell.int32(at: 0) else { return nil }
    if dimensions == 0 { return }
    guard dimensions == 1, let size = cell.int32(at: 12), size >= 0,
      Int(size) <= cell.count / 4
    else { return nil }
    texts.reserveCapacity(Int(size))
    var offset = 20
    for _ in 0..<size {
      guard let length = cell.int32(at: offset), length >= 0,
        offset + 4 + Int(length) <= cell.count
      else { return nil }
      let start = offset + 4
      texts.append(String(decoding: cell[start..<start + Int(length)], as: UTF8.self))
      offset = start + Int(length)
    }
  }
}

/// A jsonb value as its text.
struct JSONText: SQLValue {
  static var sqlType: SQLType { .jsonb }
  static var arrayType: SQLType { .jsonbArray }

  var text: String

  init(_ text: String) { self.text = text }

  /// A version byte and the text.
  func encode(to bytes: inout [UInt8]) -> Bool {
    bytes.append(1)
    bytes.append(contentsOf: text.utf8)
    return true
  }

  init?(cell: UnsafeRawBufferPointer) {
    guard cell.first == 1 else { return nil }
    text = String(decoding: cell.dropFirst(), as: UTF8.self)
  }
}

extension JSONValue: SQLValue {
  static var sqlType: SQLType { JSONText.sqlType }
  static var arrayType: SQLType { JSONText.arrayType }

  func encode(to bytes: inout [UInt8]) -> Bool { JSONText(text).encode(to: &bytes) }

  init?(cell: UnsafeRawBufferPointer) {
    guard let json = JSONText(cell: cell) else { return nil }
    self.init(parsing: json.text)
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func int32(at offset: Int) -> Int32? {
    guard offset >= 0, offset <= count - 4 else { return nil }
    return Int32(bigEndian: loadUnaligned(fromByteOffset: offset, as: Int32.self))
  }
}
