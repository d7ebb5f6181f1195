import Domain
import JSON
import Models
import Testing

@Suite struct ReplySchemaTests {
  private func value(_ text: String) throws -> JSONValue {
    try #require(JSONValue(parsing: text))
  }

  private func schema(_ text: String) throws -> ReplySchema { try ReplySchema(value(text)) }

  private static let goal = """
    {"type":"object","additionalProperties":false,"required":["title","tasks"],"properties":{
      "title":{"type":"string","minLength":3,"maxLength":5},
      "level":{"type":"string","enum":["easy","hard"]},
      "note":{"type":["string","null"]},
      "hours":{"type":"integer","minimum":1,"maximum":10},
      "tasks":{"type":"array","minItems":1,"maxItems":2,"items":{
        "type":"object","properties":{"name":{"type":"string"}},"required":["name"]}}}}
    """

  @Test(arguments: [
    #"{"title":"abc","tasks":[{"name":"a"}]}"#,
    #"{"title":"ñandú","tasks":[{"name":"a","more":1},{"name":"b"}],"level":"hard"}"#,
    #"{"title":"👩‍👩‍👧","tasks":[{"name":"a"}],"note":null,"hours":10.0}"#,
  ])
  func `What follows the schema passes`(text: String) throws {
    #expect(try schema(Self.goal).violation(in: value(text)) == nil)
  }

  @Test(arguments: [
    (#"[]"#, "the reply is not of the type object"),
    (#"{"tasks":[{"name":"a"}]}"#, "the reply has no title"),
    (#"{"title":7,"tasks":[]}"#, "the reply.tasks has too few or too many items"),
    (#"{"title":7,"tasks":[{"name":"a"}]}"#, "the reply.title is not of the type string"),
    (#"{"title":"ab","tasks":[{"name":"a"}]}"#, "the reply.title is too short or too long"),
    (#"{"title":"abcdef","tasks":[{"name":"a"}]}"#, "the reply.title is too short or too long"),
    (#"{"title":"abc","tasks":[]}"#, "the reply.tasks has too few or too many items"),
    (#"{"title":"abc","tasks":[{"name":1}]}"#, "the reply.tasks[0].name is not of the type string"),
    (#"{"title":"abc","tasks":[{"name":"a"},{}]}"#, "the reply.tasks[1] has no name"),
    (
      #"{"title":"abc","tasks":[{"name":"a"}],"level":"secret"}"#,
      "the reply.level is none of the values allowed"
    ),
    (
      #"{"title":"abc","tasks":[{"name":"a"}],"hours":1.5}"#,
      "the reply.hours is not of the type integer"
    ),
    (
      #"{"title":"abc","tasks":[{"name":"a"}],"hours":11}"#,
      "the reply.hours is too small or too large"
    ),
    (
      #"{"title":"abc","tasks":[{"name":"a"}],"secret":1}"#,
      "the reply has a property that it should not have"
    ),
  ])
  func `What breaks the schema is told by its place, never by its text`(
    text: String, violation: String
  ) throws {
    #expect(try schema(Self.goal).violation(in: value(text)) == violation)
  }

  @Test(arguments: [
    (#"{"pattern":"a"}"#, "pattern"), (#"{"$ref":"a"}"#, "$ref"), (#"{"anyOf":[]}"#, "anyOf"),
    (#"{"additionalProperties":{}}"#, "additionalProperties"), (#"{"type":"text"}"#, "type"),
    (#"{"minItems":-1}"#, "minItems"), (#"{"items":[{}]}"#, "items"), ("7", "schema"),
    (#"{"properties":{"a":{"format":"date"}}}"#, "format"),
  ])
  func `A schema with anything that is not checked is refused`(text: String, keyword: String) {
    #expect(throws: ReplySchemaError.unsupported(keyword: keyword)) { try schema(text) }
  }

  @Test func `A schema that is too deep is refused, and crossed limits let nothing pass`() throws {
    var deep = JSONValue.object([])
    for _ in 0..<20 { deep = .object([("items", deep)]) }
    #expect(throws: ReplySchemaError.tooDeep) { try ReplySchema(deep) }
    let crossed = try schema(#"{"minLength":5,"maxLength":2}"#)
    #expect(crossed.violation(in: .string("abc")) != nil)
  }
}
