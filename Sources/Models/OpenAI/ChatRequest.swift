import Domain
import JSON

/// How a chat endpoint is asked, by what it was found to refuse.
package struct ChatDialect: Sendable, Hashable {
  /// What is not sent.
  package var refused: Set<RequestParameter>

  package init(refused: Set<RequestParameter> = []) { self.refused = refused }

  /// Newer models of OpenAI have another limit than everybody else; models that reason take no
  /// sampling.
  package init(usesCompletionTokenLimit: Bool = false, takesSampling: Bool = true) {
    refused = []
    if usesCompletionTokenLimit { refused.insert(.maxTokens) }
    if !takesSampling { refused.formUnion([.temperature, .seed]) }
  }

  func takes(_ parameter: RequestParameter) -> Bool { !refused.contains(parameter) }

  var streams: Bool { takes(.stream) }

  /// Under which name the reply's limit is sent; nil: under none.
  var limit: RequestParameter? { [.maxTokens, .maxCompletionTokens].first(where: takes) }

  /// As what a schema is asked for; nil: only in words.
  var format: RequestParameter? {
    guard takes(.responseFormat) else { return nil }
    return takes(.jsonSchema) ? .jsonSchema : .responseFormat
  }

  private func hasSystemText(_ request: ModelRequest) -> Bool {
    request.messages.contains { $0.role == .system }
      || request.schema != nil && format != .jsonSchema
  }

  /// What a request is sent with that an endpoint could refuse.
  func sent(with request: ModelRequest) -> Set<RequestParameter> {
    var sent = Set([RequestParameter.temperature, .seed].filter(takes))
    if let limit { sent.insert(limit) }
    if streams {
      sent.insert(.stream)
      if takes(.streamOptions) { sent.insert(.streamOptions) }
    }
    if request.schema != nil, let format { sent.formUnion([format, .responseFormat]) }
    if takes(.systemRole), hasSystemText(request) { sent.insert(.systemRole) }
    return sent
  }
}

enum ChatRequest {
  /// The body of a request, with the seed of its attempt.
  static func body(
    of request: ModelRequest, model: String, seed: Int, dialect: ChatDialect
  ) -> [UInt8] {
    var members: [(key: String, value: JSONValue)] = [
      ("model", .string(model)), ("messages", .array(messages(of: request, dialect))),
    ]
    if dialect.streams {
      members.append(("stream", .bool(true)))
      if dialect.takes(.streamOptions) {
        members.append(("stream_options", .object([("include_usage", .bool(true))])))
      }
    }
    if let limit = dialect.limit {
      members.append((limit.rawValue, .integer(Int64(request.replyTokenCountMax))))
    }
    if dialect.takes(.temperature) {
      members.append(("temperature", .number(request.temperature)))
    }
    if dialect.takes(.seed) { members.append(("seed", .integer(Int64(seed)))) }
    if let schema = request.schema, let format = dialect.format {
      members.append(("response_format", self.format(format, schema, request.schemaName)))
    }
    return Array(JSONValue.object(members).text.utf8)
  }

  private static func format(
    _ format: RequestParameter, _ schema: JSONValue, _ name: String
  ) -> JSONValue {
    guard format == .jsonSchema else { return .object([("type", .string("json_object"))]) }
    let schema = JSONValue.object([
      ("name", .string(name)), ("strict", .bool(true)), ("schema", schema),
    ])
    return .object([("type", .string("json_schema")), ("json_schema", schema)])
  }

  /// What the system says goes before what the user says first.
  private static func withoutSystemRole(_ messages: [ModelMessage]) -> [ModelMessage] {
    let said = messages.filter { $0.role == .system }.map(\.text)
    guard !said.isEmpty else { return messages }
    var others = messages.filter { $0.role != .system }
    if let user = others.firstIndex(where: { $0.role == .user }) {
      others[user].text = (said + [others[user].text]).joined(separator: "\n\n")
    } else {
      others.insert(ModelMessage(.user, said.joined(separator: "\n\n")), at: 0)
    }
    return others
  }

  /// Where the endpoint takes no schema, the model reads it.
  private static func messages(of request: ModelRequest, _ dialect: ChatDialect) -> [JSONValue] {
    var messages = request.messages
    if let schema = request.schema, dialect.format != .jsonSchema {
      let words =
        "Reply with one JSON object that follows this JSON Schema, and with nothing else:\n"
        + schema.text
      if let system = messages.firstIndex(where: { $0.role == .system }) {
        messages[system].text += "\n\n" + words
      } else {
        messages.insert(ModelMessage(.system, words), at: 0)
      }
    }
    if !dialect.takes(.systemRole) { messages = withoutSystemRole(messages) }
    return messages.map {
      .object([("role", .string($0.role.rawValue)), ("content", .string($0.text))])
    }
  }
}
