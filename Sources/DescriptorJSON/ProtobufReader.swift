/// Why bytes are not protobuf.
package enum ProtobufError: Error, Sendable, Hashable {
  case truncated
  case malformedVarint
  case illegalTag
  case illegalWireType
  case tooDeep
  case wrongWireType(field: Int)
  case invalidUTF8(field: Int)

  /// The error in words, for a person.
  package var text: String {
    switch self {
    case .truncated: "the bytes end in the middle of a field"
    case .malformedVarint: "a variable-length number is longer than ten bytes"
    case .illegalTag: "a field has an illegal number"
    case .illegalWireType: "a field has an illegal wire type"
    case .tooDeep: "the message is nested too deeply"
    case .wrongWireType(let field): "field \(field) is not encoded as its type says"
    case .invalidUTF8(let field): "field \(field) is text that is not UTF-8"
    }
  }
}

/// Reads the fields of one message in the order of the bytes. Never reads outside of them, and
/// never allocates by a number that they hold.
struct ProtobufReader {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(ArraySlice<UInt8>)
  }

  struct Field {
    var number: Int
    var value: Value
  }

  private static let groupDepthMax = 32
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  var isAtEnd: Bool { position == bytes.endIndex }

  /// The next field; nil at the end. Groups, which proto3 does not have, are passed over.
  mutating func next() throws(ProtobufError) -> Field? {
    while !isAtEnd {
      let (number, wireType) = try tag()
      if wireType == 3 {
        try skipGroup(number, depth: 1)
      } else {
        return Field(number: number, value: try value(wireType))
      }
    }
    return nil
  }

  mutating func varint() throws(ProtobufError) -> UInt64 {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < bytes.endIndex else { throw .truncated }
      let byte = bytes[position]
      position += 1
      if shift == 63, byte > 1 { throw .malformedVarint }
      result |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return result }
    }
    throw .malformedVarint
  }

  mutating func fixed32() throws(ProtobufError) -> UInt32 {
    let slice = try take(4)
    return slice.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  mutating func fixed64() throws(ProtobufError) -> UInt64 {
    let slice = try take(8)
    return slice.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func tag() throws(ProtobufError) -> (number: Int, wireType: UInt64) {
    let tag = try varint()
    guard tag <= UInt64(UInt32.max), tag >> 3 != 0 else { throw .illegalTag }
    return (Int(tag >> 3), tag & 7)
  }

  private mutating func value(_ wireType: UInt64) throws(ProtobufError) -> Value {
    switch wireType {
    case 0: return .varint(try varint())
    case 1: return .fixed64(try fixed64())
    case 2:
      let count = try varint()
      guard count <= UInt64(bytes.endIndex - position) else { throw .truncated }
      return .bytes(try take(Int(count)))
    case 5: return .fixed32(try fixed32())
    default: throw .illegalWireType
    }
  }

  private mutating func take(_ count: Int) throws(ProtobufError) -> ArraySlice<UInt8> {
    guard count <= bytes.endIndex - position else { throw .truncated }
    defer { position += count }
    return bytes[position..<position + count]
  }

  private mutating func skipGroup(_ number: Int, depth: Int) throws(ProtobufError) {
    guard depth <= Self.groupDepthMax else { throw .tooDeep }
    while true {
      let (inner, wireType) = try tag()
      switch wireType {
      case 3: try skipGroup(inner, depth: depth + 1)
      case 4:
        guard inner == number else { throw .illegalTag }
        return
      default: _ = try value(wireType)
      }
    }
  }
}

extension ProtobufReader.Field {
  func unsigned() throws(ProtobufError) -> UInt64 {
    guard case .varint(let value) = value else { throw .wrongWireType(field: number) }
    return value
  }

  func bytes() throws(ProtobufError) -> ArraySlice<UInt8> {
    guard case .bytes(let value) = value else { throw .wrongWireType(field: number) }
    return value
  }

  func text() throws(ProtobufError) -> String {
    guard let text = String(validating: try bytes(), as: UTF8.self) else {
      throw .invalidUTF8(field: number)
    }
    return text
  }
}
