/// A `.proto` file as the emitters see it: values only, names resolved, rules already checked.
package struct FileModel: Sendable {
  /// `hito/v1/goals.proto`.
  package var path: String
  /// `hito.v1`.
  package var packageName: String
  package var comment: [String]
  package var messages: [MessageModel]
  package var enums: [EnumModel]
  package var services: [ServiceModel]
}

package struct MessageModel: Sendable {
  package var name: ProtoName
  package var comment: [String]
  package var isDeprecated: Bool
  package var fields: [FieldModel]
  package var oneofs: [OneofModel]
  package var messages: [MessageModel]
  package var enums: [EnumModel]

  /// Fields that belong to no oneof, in the order of the file.
  var plainFields: [FieldModel] { fields.filter { $0.oneof == nil } }
}

package struct EnumModel: Sendable {
  package var name: ProtoName
  package var comment: [String]
  package var isDeprecated: Bool
  package var values: [EnumValueModel]
}

package struct EnumValueModel: Sendable {
  package var name: String
  package var number: Int32
  package var comment: [String]
  package var isDeprecated: Bool
}

package struct FieldModel: Sendable {
  package var name: String
  package var number: Int32
  package var comment: [String]
  package var isDeprecated: Bool
  package var shape: FieldShape
  /// For emitters that write the bytes themselves.
  package var coding = FieldCoding()
  /// Name of the oneof that holds the field.
  package var oneof: String?
}

/// What the type of a field leaves open about its bytes.
package struct FieldCoding: Sendable, Hashable {
  /// How an integer is written.
  package enum Integer: Sendable {
    case varint, zigzag, fixed
  }

  /// Of the value, of each element, or of the values of a map.
  package var value = Integer.varint
  /// Of the keys of a map.
  package var key = Integer.varint
  /// Whether the elements of a list are written one after the other, without a tag each.
  package var isPacked = false
}

package enum FieldShape: Sendable, Hashable {
  case single(ValueType)
  case list(ValueType)
  /// `entry` is the message that stands for one pair on the wire.
  case map(key: ValueType, value: ValueType, entry: ProtoName)
}

package enum ValueType: Sendable, Hashable {
  case int32, int64, uint32, uint64, float, double, bool, string, bytes
  case enumeration(ProtoName)
  case message(ProtoName)
}

package struct OneofModel: Sendable {
  package var name: String
  package var comment: [String]
  package var fields: [FieldModel]

  /// A oneof with a single member is how presence of one field is written in the contract.
  var isPresence: Bool { fields.count == 1 }
}

package struct ServiceModel: Sendable {
  package var name: ProtoName
  package var comment: [String]
  package var isDeprecated: Bool
  package var methods: [MethodModel]
}

package struct MethodModel: Sendable {
  package enum Kind: Sendable {
    case unary, serverStreaming, clientStreaming, bidirectional
  }

  package var name: String
  /// `hito.v1.GoalService/CreateGoal`.
  package var path: String
  package var comment: [String]
  package var isDeprecated: Bool
  package var kind: Kind
  package var isReadOnly: Bool
  package var rule: MethodRuleModel
  package var input: ProtoName
  package var output: ProtoName
}

/// The `rule` option of a method (hito/v1/options.proto).
package struct MethodRuleModel: Sendable, Hashable {
  /// In the order of their numbers: each may call what those before it may.
  package enum Callers: Int, Sendable, CaseIterable, Comparable {
    case anybody = 1
    case users, instructors, services, admins

    package static func < (left: Callers, right: Callers) -> Bool { left.rawValue < right.rawValue }
  }

  package enum Cost: Int, Sendable, CaseIterable {
    case memory = 1
    case rows, scan, search, model, bulk, subscription
  }

  package var callers: Callers
  package var cost: Cost
  /// Of a call that names no timeout; nil for no limit.
  package var timeoutSeconds: Int?
  package var isImplemented: Bool
}

/// The name of a message, enum or service, and where it was declared.
package struct ProtoName: Sendable, Hashable {
  /// `hito.v1`.
  package var packageName: String
  /// `["Goal", "Label"]` for `hito.v1.Goal.Label`.
  package var path: [String]
  /// `hito/v1/goals.proto`.
  package var file: String

  package var full: String { ([packageName] + path).filter { !$0.isEmpty }.joined(separator: ".") }
  package var simple: String { path.last ?? "" }
}
