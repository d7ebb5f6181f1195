extension JSONValue {
  /// How many arrays and objects may be open at a time, unless a reader says otherwise.
  package static let depthMax = 64
  /// The most bytes that a text may have.
  package static let byteCountMax = JSONReader.byteCountMax
  private static let typedDepthMax = 100

  /// Reads the text of a program; nil where it is not one JSON value, or nests too deeply.
  package init?(parsing text: String, depthMax: Int = JSONValue.depthMax) {
    let value = try? Self.read(text, .received, depthMax: depthMax) {
      (reader) throws(JSONSyntaxError) in
      let value = try reader.value()
      try reader.end()
      return value
    }
    guard let value else { return nil }
    self = value
  }

  /// Reads the bytes of a program; nil where they are not one JSON value in UTF-8, or nest too
  /// deeply.
  package init?(parsing bytes: [UInt8], depthMax: Int = JSONValue.depthMax) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    self.init(parsing: text, depthMax: depthMax)
  }

  /// Reads one value that a person wrote, with `//` comments.
  package init(typed text: String) throws(JSONSyntaxError) {
    self = try Self.read(text, .typed, depthMax: Self.typedDepthMax) {
      (reader) throws(JSONSyntaxError) in
      let value = try reader.value()
      try reader.end()
      return value
    }
  }

  /// Reads any number of values that a person wrote, one after the other, with or without line
  /// breaks.
  package static func sequence(typed text: String) throws(JSONSyntaxError) -> [JSONValue] {
    try read(text, .typed, depthMax: typedDepthMax) { (reader) throws(JSONSyntaxError) in
      var values: [JSONValue] = []
      while !reader.isAtEnd { values.append(try reader.value()) }
      return values
    }
  }

  private static func read<Value>(
    _ text: String, _ dialect: JSONDialect, depthMax: Int,
    _ body: (inout JSONReader) throws(JSONSyntaxError) -> Value
  ) throws(JSONSyntaxError) -> Value {
    var text = text
    let result: Result<Value, JSONSyntaxError> = text.withUTF8 { bytes in
      do throws(JSONSyntaxError) {
        var reader = try JSONReader(bytes, dialect, depthMax: depthMax)
        return .success(try body(&reader))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

extension JSONReader {
  mutating func value() throws(JSONSyntaxError) -> JSONValue {
    switch peek() {
    case UInt8(ascii: "{"): return .object(try members())
    case UInt8(ascii: "["):
      var values: [JSONValue] = []
      try array { (reader) throws(JSONSyntaxError) in values.append(try reader.value()) }
      return .array(values)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return .number(JSONNumber(digits: text(try number())))
    default: return try literal().map(JSONValue.bool) ?? .null
    }
  }

  private mutating func members() throws(JSONSyntaxError) -> [(key: String, value: JSONValue)] {
    var members: [(key: String, value: JSONValue)] = []
    var places: [String: Int] = [:]
    try object { (reader) throws(JSONSyntaxError) in
      let start = reader
      let name = try reader.name()
      let place = places[name]
      if place != nil, reader.dialect == .typed {
        throw start.failure("the name \"\(name)\" stands twice in one object")
      }
      let value = try reader.value()
      if let place {
        members[place].value = value
      } else {
        places[name] = members.count
        members.append((name, value))
      }
    }
    return members
  }
}
