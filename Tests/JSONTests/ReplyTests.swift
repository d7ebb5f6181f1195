import JSON
import Testing

@Suite struct `The JSON of a reply` {
  private static let object = JSONValue.object([("a", .string("}{ `")), ("b", .integer(1))])

  @Test(
    arguments: [
      "", "```json\n", "```\n", "~~~\n", "Sure! Here it is: ",
      "I looked at {branches} and {\"x\": }.\n",
      "{\"a\": {\"b\"", "{{{", "{ [", "\u{feff}", "JSON:",
    ], ["", "\n```", "\n\nHope this helps {you}!", "}}", "<|im_end|>"])
  func `is found whatever stands around it`(before: String, after: String) {
    #expect(JSONValue(reply: before + Self.object.text + after) == Self.object)
  }

  @Test func `is the whole where the whole is JSON`() {
    #expect(JSONValue(reply: "[{\"a\":1}]") == .array([.object([("a", .integer(1))])]))
    #expect(JSONValue(reply: "7") == .integer(7))
    #expect(JSONValue(reply: "no braces") == nil)
    #expect(JSONValue(reply: "{\"a\": 1") == nil)
  }

  @Test func `is the last one that is wanted, or the last`() {
    let text = "First {\"n\":1}, then {\"n\":2}, and {\"other\":{\"n\":3}}."
    #expect(JSONValue(reply: text) { $0["n"] != nil }?["n"] == .integer(2))
    #expect(JSONValue(reply: text) { _ in false }?["other"] != nil)
    #expect(JSONValue.objects(in: text).count == 3)
    let many = String(repeating: "{\"n\":1} ", count: 10_000)
    #expect(JSONValue.objects(in: many).count <= 16)
  }

  @Test(arguments: [
    "{", "{\"a\":", "{\"a\":[", "[", "{\"", "{\"a\":\"", "{\"a\":1,", "{\":", "{\"a\":{}}",
    "prose ",
    "{\"a\":\"{\"", "\\\"{",
  ]) func `costs time in proportion to the text`(part: String) {
    let text = String(repeating: part, count: 100_000 / part.utf8.count)
    let time = ContinuousClock().measure { _ = JSONValue(reply: text) }
    // Parts of a second; were it a square it would be hours.
    #expect(time < .seconds(20), "\(part)")
  }

  @Test func `is found behind thousands of beginnings of others`() {
    for part in ["{", "[", "{\"a\":", "{[", "{\"a\":[", "}"] {
      #expect(
        JSONValue(reply: String(repeating: part, count: 2000) + Self.object.text) == Self.object)
    }
  }

  @Test func `is not deeper than is read`() {
    let deep = String(repeating: "{\"a\":", count: 40) + "1" + String(repeating: "}", count: 40)
    let found = JSONValue(reply: "x " + deep)
    #expect(found != JSONValue(parsing: deep))
  }
}
