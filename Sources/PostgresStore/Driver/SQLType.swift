/// The types of parameters that our statements use; the raw value is PostgreSQL's OID.
package enum SQLType: UInt32, Sendable {
  /// The statement says it (`$1::vector`): types of extensions have other numbers in each database.
  case unknown = 705
  case bool = 16
  case bytea = 17
  case int8 = 20
  case int4 = 23
  case text = 25
  case float4 = 700
  case float8 = 701
  case timestamptz = 1184
  case uuid = 2950
  case jsonb = 3802
  case boolArray = 1000
  case byteaArray = 1001
  case int4Array = 1007
  case textArray = 1009
  case int8Array = 1016
  case float4Array = 1021
  case float8Array = 1022
  case timestamptzArray = 1185
  case uuidArray = 2951
  case jsonbArray = 3807

  /// What an array of this type holds; of other types, the type itself.
  var element: SQLType {
    switch self {
    case .boolArray: .bool
    case .byteaArray: .bytea
    case .int4Array: .int4
    case .textArray: .text
    case .int8Array: .int8
    case .float4Array: .float4
    case .float8Array: .float8
    case .timestamptzArray: .timestamptz
    case .uuidArray: .uuid
    case .jsonbArray: .jsonb
    case .unknown, .bool, .bytea, .int8, .int4, .text, .float4, .float8, .timestamptz, .uuid,
      .jsonb:
      self
    }
  }
}
