/// The messages, enums and methods of a contract, as a FileDescriptorSet tells them: enough to
/// convert any message between JSON and protobuf without generated code.
package struct Schema: Sendable {
  /// More than any real contract has; a descriptor set comes from a peer.
  package static let byteCountMax = 8 << 20
  static let typeCountMax = 20_000

  package internal(set) var messages: [MessageType] = []
  package internal(set) var enums: [EnumType] = []
  package internal(set) var methods: [Method] = []
  var messageIndexByName: [String: Int] = [:]
  var enumIndexByName: [String: Int] = [:]

  /// A message by its full name, `hito.v1.Goal`.
  package func message(named name: String) -> MessageType? {
    messageIndexByName[name].map { messages[$0] }
  }
}

/// Why a descriptor set cannot be used.
package struct SchemaError: Error, Sendable, Hashable, CustomStringConvertible {
  package let description: String
}

package struct MessageType: Sendable {
  package internal(set) var name: String
  /// In the order of the numbers, which is the order of output.
  package internal(set) var fields: [Field] = []
  /// Names of the oneofs; a field refers to one by its index.
  package internal(set) var oneofs: [String] = []
  package internal(set) var comment = ""
  var isMapEntry = false
  var fieldIndexByNumber: [Int: Int] = [:]
  /// Both the JSON name and the proto name of each field.
  var fieldIndexByName: [String: Int] = [:]

  /// The name without its package.
  package var shortName: Substring { name.lastComponent }
}

package struct Field: Sendable {
  package internal(set) var name: String
  package internal(set) var jsonName: String
  package internal(set) var number: Int
  package internal(set) var type: FieldType
  package internal(set) var isRepeated: Bool
  package internal(set) var isMap = false
  /// Index of the oneof that it is a member of.
  package internal(set) var oneof: Int?
  /// Whether the oneof is only the compiler's way to say `optional`.
  var isSyntheticOneof = false
  /// Whether the contract says `[packed = false]`.
  var isPackingDisabled = false
  package internal(set) var comment = ""

  /// Whether a default value is told from an absent one.
  var hasPresence: Bool {
    if oneof != nil { return true }
    if case .message = type { return !isRepeated }
    return false
  }
}

package enum FieldType: Sendable, Hashable {
  case double, float
  case int32, sint32, sfixed32
  case int64, sint64, sfixed64
  case uint32, fixed32
  case uint64, fixed64
  case bool, string, bytes
  /// Index in `Schema.enums`.
  case enumeration(Int)
  /// Index in `Schema.messages`.
  case message(Int)

  /// Whether repeated values share one field.
  var isPackable: Bool {
    switch self {
    case .string, .bytes, .message: false
    default: true
    }
  }

  var wireType: ProtobufWriter.WireType {
    switch self {
    case .double, .fixed64, .sfixed64: .fixed64
    case .float, .fixed32, .sfixed32: .fixed32
    case .string, .bytes, .message: .bytes
    default: .varint
    }
  }
}

package struct EnumType: Sendable {
  package internal(set) var name: String
  package internal(set) var values: [Value] = []
  package internal(set) var comment = ""

  package struct Value: Sendable {
    package internal(set) var name: String
    package internal(set) var number: Int32
    package internal(set) var comment = ""
  }

  /// The first name of a number, where there is one.
  package func name(of number: Int32) -> String? {
    values.first { $0.number == number }?.name
  }
}

package struct Method: Sendable {
  /// Full name of the service, `hito.v1.GoalService`.
  package internal(set) var service: String
  package internal(set) var name: String
  /// Index of the request's and of the response's type in `Schema.messages`.
  package internal(set) var input: Int
  package internal(set) var output: Int
  package internal(set) var isClientStreaming: Bool
  package internal(set) var isServerStreaming: Bool
  /// Whether the contract says that it has no side effects.
  package internal(set) var isReadOnly: Bool
  package internal(set) var comment: String
  /// Name of the file without folder and ending: `goals`.
  package internal(set) var file: String

  /// `hito.v1.GoalService/CreateGoal`.
  package var path: String { "\(service)/\(name)" }
  /// `GoalService/CreateGoal`: what a person types.
  package var shortPath: String { "\(shortService)/\(name)" }
  var shortService: Substring { service.lastComponent }
}

extension String {
  /// The part after the last dot, or all of it where there is none.
  var lastComponent: Substring {
    lastIndex(of: ".").map { self[index(after: $0)...] } ?? self[...]
  }
}
