import Domain
import Testing

@Suite struct JSONParsingTests {
  @Test func aTextIsReadAsItWasWritten() throws {
    let value = JSONValue.object([
      ("a", .array([.null, .bool(true), .bool(false), .integer(-7), .number(1.5)])),
      ("b \"\\\n", .object([("ñ", .string("🦆\u{1}"))])), ("c", .array([])), ("d", .object([])),
    ])
    #expect(JSONValue(parsing: value.text) == value)
    #expect(JSONValue(parsing: " [1e3 , -0.5E-1] ") == .array([.number(1000), .number(-0.05)]))
    #expect(JSONValue(parsing: #"{"a": 1, "a": 2}"#) == .object([("a", .integer(2))]))
    #expect(JSONValue(parsing: #""é🦆""#) == .string("é🦆"))
  }

  @Test(arguments: [
    "", " ", "{", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{1: 2}", "nul", "01", "+1", "1.", "'a'",
    "\"a", "[] []", "\"\\x\"", "\u{feff}1", "{\"a\":1,}",
  ])
  func whatIsNoJSONIsNil(_ text: String) {
    #expect(JSONValue(parsing: text) == nil)
  }

  @Test func depthIsBounded() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(JSONValue(parsing: deep) == nil)
    let most = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
    #expect(JSONValue(parsing: most) != nil)
  }
}
