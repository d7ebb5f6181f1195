import JSON

/// Reads the members of a payload, and says of which event what is missing or wrong.
struct PayloadReader {
  /// What a member has to be.
  enum Form: String {
    case text = "a text"
    case textOrNull = "a text or null"
    case number = "a number"
    case numberOrNull = "a number or null"
    case bool = "true or false"
    case boolOrNull = "true, false or null"
    case texts = "a list of texts"
    case object = "an object"
    case objectOrNull = "an object or null"
  }

  let event: StoredEvent
  let payload: JSONValue

  func value(_ member: String, _ form: Form) throws(RebuildProblem) -> JSONValue {
    guard let value = payload[member] else {
      throw RebuildProblem(event, .missing(member: member))
    }
    guard form.admits(value) else { throw wrong(member, form.rawValue) }
    return value
  }

  func id(_ member: String) throws(RebuildProblem) -> EntityID {
    guard let id = try value(member, .text).id else { throw wrong(member, "an id") }
    return id
  }

  func hash(_ member: String) throws(RebuildProblem) -> [UInt8] {
    try hash(member, in: payload)
  }

  /// Nil where an older build did not record it.
  func revision() throws(RebuildProblem) -> Int64? {
    guard let value = payload["revision"] else {
      guard event.schemaVersion < 2 else {
        throw RebuildProblem(event, .missing(member: "revision"))
      }
      return nil
    }
    guard let revision = value.integerValue, revision > 0 else {
      throw wrong("revision", "a number above 0")
    }
    return revision
  }

  func files(of owner: EntityID) throws(RebuildProblem) -> [RebuiltFile] {
    guard let list = payload["files"] else {
      throw RebuildProblem(event, .missing(member: "files"))
    }
    guard case .array(let elements) = list else { throw wrong("files", "a list") }
    var files: [RebuiltFile] = []
    for element in elements {
      guard let path = element["path"]?.stringValue else {
        throw wrong("files", "files with paths")
      }
      files.append(
        RebuiltFile(
          path: path,
          content: BlobReference(ownerID: owner, hash: try hash("hash", in: element))))
    }
    return files
  }

  private func hash(_ member: String, in object: JSONValue) throws(RebuildProblem) -> [UInt8] {
    guard let value = object[member] else {
      throw RebuildProblem(event, .missing(member: member))
    }
    guard let hash = value.stringValue.flatMap(EventBlob.hash(ofHexadecimal:)) else {
      throw wrong(member, "a SHA-256 in hexadecimal digits")
    }
    return hash
  }

  private func wrong(_ member: String, _ wanted: String) -> RebuildProblem {
    RebuildProblem(event, .wrong(member: member, wanted: wanted))
  }
}

extension PayloadReader.Form {
  func admits(_ value: JSONValue) -> Bool {
    switch (self, value) {
    case (.text, .string), (.textOrNull, .string), (.textOrNull, .null): true
    case (.number, .number), (.numberOrNull, .number), (.numberOrNull, .null): true
    case (.bool, .bool), (.boolOrNull, .bool), (.boolOrNull, .null): true
    case (.object, .object), (.objectOrNull, .object), (.objectOrNull, .null): true
    case (.texts, .array(let elements)): elements.allSatisfy { $0.stringValue != nil }
    default: false
    }
  }
}
