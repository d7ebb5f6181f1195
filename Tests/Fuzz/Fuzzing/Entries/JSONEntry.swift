import JSON

/// JSON as programs write it and as people type it: what is read is the same when it is written and
/// read again.
enum JSONEntry {
  static func run(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return require(JSONValue(parsing: bytes) == nil, "not UTF-8, and read")
    }
    let received = JSONValue(parsing: text)
    if let received {
      require(JSONValue(parsing: received.text) == received, "not the same when it is stored")
      require(JSONValue(parsing: received.shown()) == received, "not the same when it is shown")
    }
    let names: Set<String> = ["a", "b", "title", ""]
    let fields = JSONFields(of: text, names: names)
    if case .object(let members)? = received {
      for name in names {
        let isThere = members.contains { $0.key == name }
        require((fields[name] != nil) == isThere, "a member is there, or is not")
      }
    }
    _ = try? JSONValue.sequence(typed: text)
    guard let typed = try? JSONValue(typed: text) else { return }
    require(JSONValue(parsing: typed.text, depthMax: 128) == typed, "typed, and not read as stored")
  }
}
