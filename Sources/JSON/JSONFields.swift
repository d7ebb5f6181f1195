/// Chosen members of a JSON object's text, read without building the whole value.
///
/// An event's payload is read once for the few columns that the lake and the reports need: only the
/// members that are asked for are made into values. Text that is not a JSON object has no members:
/// the payload itself is kept as it is, so nothing is lost by that.
package struct JSONFields: Sendable {
  /// A member's value; arrays and objects stay JSON text.
  package enum Value: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case nested(String)
  }

  private let members: [(name: String, value: Value)]

  /// Reads the members `names` of `text`; a repeated member's last value counts, as in jsonb.
  package init(of text: String, names: Set<String>) {
    var text = text
    members =
      text.withUTF8 { bytes in
        guard
          // The object itself is open besides.
          var reader = try? JSONReader(bytes, .received, depthMax: JSONValue.depthMax + 1)
        else { return nil }
        return try? reader.members(names)
      } ?? []
  }

  private init(_ members: [(name: String, value: Value)]) { self.members = members }

  /// The same without the members whose value `isUnwanted`.
  package func removing(where isUnwanted: (Value) -> Bool) -> JSONFields {
    members.contains { isUnwanted($0.value) }
      ? JSONFields(members.filter { !isUnwanted($0.value) }) : self
  }

  package subscript(name: String) -> Value? {
    members.last { $0.name == name }?.value
  }
}

extension JSONReader {
  fileprivate mutating func members(
    _ wanted: Set<String>
  ) throws(JSONSyntaxError) -> [(name: String, value: JSONFields.Value)] {
    var found: [(name: String, value: JSONFields.Value)] = []
    try object { (reader) throws(JSONSyntaxError) in
      let name = try reader.name()
      if wanted.contains(name) {
        found.append((name, try reader.fieldValue()))
      } else {
        try reader.skip()
      }
    }
    try end()
    return found
  }

  private mutating func fieldValue() throws(JSONSyntaxError) -> JSONFields.Value {
    switch peek() {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      let start = at
      try skip()
      return .nested(text(start..<at))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return .number(JSONNumber(digits: text(try number())))
    default: return try literal().map(JSONFields.Value.bool) ?? .null
    }
  }
}
