/// How the Swift emitter writes types, and how values cross between Swift and the C structs.
enum SwiftTypes {
  static func name(_ type: ValueType) -> String {
    switch type {
    case .int32: "Int32"
    case .int64: "Int64"
    case .uint32: "UInt32"
    case .uint64: "UInt64"
    case .float: "Float"
    case .double: "Double"
    case .bool: "Bool"
    case .string: "String"
    case .bytes: "[UInt8]"
    case .enumeration(let name), .message(let name): SwiftNames.type(name)
    }
  }

  static func name(_ shape: FieldShape) -> String {
    switch shape {
    case .single(.message(let name)): SwiftNames.type(name) + "?"
    case .single(let type): name(type)
    case .list(let type): "[\(name(type))]"
    case .map(let key, let value, _): "[\(name(key)): \(name(value))]"
    }
  }

  /// What an absent field reads as.
  static func defaultValue(_ shape: FieldShape) -> String {
    switch shape {
    case .single(.message): "nil"
    case .single(let type): defaultValue(type)
    case .list: "[]"
    case .map: "[:]"
    }
  }

  static func defaultValue(_ type: ValueType) -> String {
    switch type {
    case .int32, .int64, .uint32, .uint64, .float, .double: "0"
    case .bool: "false"
    case .string: "\"\""
    case .bytes: "[]"
    case .enumeration(let name): "\(SwiftNames.type(name))(rawValue: 0)"
    case .message(let name): "\(SwiftNames.type(name))()"
    }
  }

  /// Reads one present value out of the C expression.
  static func read(_ type: ValueType, _ source: String) -> String {
    switch type {
    case .int32, .int64, .uint32, .uint64, .float, .double: source
    case .bool: "\(source) != 0"
    case .string: "Codec.string(\(source))"
    case .bytes: "Codec.bytes(\(source))"
    case .enumeration(let name):
      "\(SwiftNames.type(name))(rawValue: Int32(truncatingIfNeeded: \(source).rawValue))"
    case .message(let name): "Codec.message(\(source)) ?? \(SwiftNames.type(name))()"
    }
  }

  static func readList(_ type: ValueType, count: String, _ source: String) -> String {
    switch type {
    case .int32, .int64, .uint32, .uint64, .float, .double: "Codec.array(\(count), \(source))"
    case .bool: "Codec.list(\(count), \(source)) { $0 != 0 }"
    case .string: "Codec.list(\(count), \(source)) { Codec.string($0) }"
    case .bytes: "Codec.list(\(count), \(source)) { Codec.bytes($0) }"
    case .enumeration: "Codec.list(\(count), \(source)) { \(read(type, "$0")) }"
    case .message: "Codec.messages(\(count), \(source))"
    }
  }

  /// The C value of a Swift expression.
  static func write(_ type: ValueType, _ value: String) -> String {
    switch type {
    case .int32, .int64, .uint32, .uint64, .float, .double: value
    case .bool: "\(value) ? 1 : 0"
    case .string: "arena.string(\(value))"
    case .bytes: "arena.bytes(\(value))"
    case .enumeration: ".init(rawValue: .init(truncatingIfNeeded: \(value).rawValue))"
    case .message: "arena.message(\(value))"
    }
  }

  static func writeList(_ type: ValueType, _ value: String) -> String {
    switch type {
    case .int32, .int64, .uint32, .uint64, .float, .double: "arena.array(\(value))"
    case .bool: "arena.list(\(value)) { $0 ? 1 : 0 }"
    case .string: "arena.list(\(value)) { arena.string($0) }"
    case .bytes: "arena.list(\(value)) { arena.bytes($0) }"
    case .enumeration: "arena.list(\(value)) { \(write(type, "$0")) }"
    case .message: "arena.list(\(value)) { arena.message($0) }"
    }
  }
}
