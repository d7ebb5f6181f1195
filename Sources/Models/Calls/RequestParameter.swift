/// A parameter of a request that some endpoints do not take. The raw values are stored.
package enum RequestParameter: String, Sendable, Hashable, CaseIterable {
  case maxTokens = "max_tokens"
  case maxCompletionTokens = "max_completion_tokens"
  case temperature
  case seed
  case stream
  case streamOptions = "stream_options"
  /// The `response_format` of this name; then `json_object` is asked for.
  case jsonSchema = "json_schema"
  /// In whatever form.
  case responseFormat = "response_format"
  /// Messages of the role `system`, which the templates of some models do not have.
  case systemRole = "system_role"
  case encodingFormat = "encoding_format"
  case dimensions

  /// Other words for it in what servers say, in lower case.
  fileprivate var names: [String] {
    switch self {
    case .maxTokens: ["max_tokens", "maxtokens", "max tokens"]
    case .maxCompletionTokens: ["max_completion_tokens", "maxcompletiontokens"]
    case .temperature: ["temperature"]
    case .seed: ["seed"]
    case .stream: ["stream", "streaming"]
    case .streamOptions: ["stream_options", "streamoptions", "include_usage"]
    case .jsonSchema: ["json_schema", "jsonschema", "json schema"]
    case .responseFormat:
      [
        "response_format", "responseformat", "response format", "structured output",
        "structured outputs", "guided decoding", "grammar",
      ]
    case .systemRole:
      [
        "system role", "system_role", "role system", "role: system", "role 'system'",
        "role `system`",
        #"role "system"#, #"role \"system"#, "'system' role", "`system` role", #"system\" role"#,
        "system message", "system messages", "system prompt", "system prompts",
        "system instruction",
        "developer instruction", "only user and assistant roles", "roles must alternate",
      ]
    case .encodingFormat: ["encoding_format", "encodingformat", "base64"]
    case .dimensions: ["dimensions", "matryoshka"]
    }
  }
}

/// Which parameters a refusal names, in the order in which it does. Nothing of the text itself.
package struct ParameterRefusal: Sendable, Hashable {
  package private(set) var named: [RequestParameter] = []
  /// The refusal names `json_object` as what may be asked for.
  package private(set) var namesJSONObject = false

  /// Looked through of a text.
  private static let byteCountMax = 1 << 14

  /// - Parameters:
  ///   - parameter: what the refusal says it is about, where it says so; goes first.
  ///   - text: all of it.
  init(parameter: String?, text: some Sequence<UInt8>) {
    if let parameter { add(namesIn: parameter.utf8) }
    add(namesIn: text)
  }

  private mutating func add(namesIn text: some Sequence<UInt8>) {
    let bytes = text.prefix(Self.byteCountMax).map { byte in
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
    var places: [(place: Int, parameter: RequestParameter)] = []
    for parameter in RequestParameter.allCases {
      let place = parameter.names.compactMap { Self.place(of: Array($0.utf8), in: bytes) }.min()
      if let place { places.append((place, parameter)) }
    }
    for (_, parameter) in places.sorted(by: { $0.place < $1.place })
    where !named.contains(parameter) {
      named.append(parameter)
    }
    if Self.place(of: Array("json_object".utf8), in: bytes) != nil { namesJSONObject = true }
  }

  /// Where `name` stands as a word of its own.
  private static func place(of name: [UInt8], in bytes: [UInt8]) -> Int? {
    var start = 0
    while let first = bytes[start...].firstIndex(of: name[0]) {
      start = first + 1
      let end = first + name.count
      guard end <= bytes.count else { return nil }
      if bytes[first..<end].elementsEqual(name), first == 0 || !isWordPart(bytes[first - 1]),
        end == bytes.count || !isWordPart(bytes[end])
      {
        return first
      }
    }
    return nil
  }

  private static func isWordPart(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// What is to be left out of a request that was sent with `sent`; nil where the refusal names none
  /// of it, so that it is for something else.
  func leftOut(of sent: Set<RequestParameter>) -> RequestParameter? {
    let found = named.first(where: sent.contains)
    // Without the schema, but as JSON; where that is not named, the format goes as a whole.
    if found == .jsonSchema || found == .responseFormat {
      return sent.contains(.jsonSchema) && namesJSONObject ? .jsonSchema : .responseFormat
    }
    return found
  }
}
