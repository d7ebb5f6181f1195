import JSON
import Testing

@Suite("JSON values")
struct JSONValueTests {
  @Test("JSON text is escaped, ordered and finite")
  func json() {
    let value = JSONValue.object([
      ("b", .string("\"\\\n\u{1}é🎯")), ("a", .array([.null, .bool(true), .integer(-5)])),
      ("c", .number(.nan)), ("d", .number(0.5)),
    ])
    #expect(
      value.text
        == #"{"b":"\"\\\u000a\u0001é🎯","a":[null,true,-5],"c":null,"d":0.5}"#)
    #expect(value["d"]?.doubleValue == 0.5)
    // Members are a set; NaN is never equal, so it is left out here.
    let one = JSONValue.object([("x", .integer(1)), ("y", .string("z"))])
    #expect(one == .object([("y", .string("z")), ("x", .number(1.0))]))
    #expect(one != .object([("x", .integer(1))]))
  }

  @Test("a text is read as it was written")
  func roundTrip() throws {
    let value = JSONValue.object([
      ("a", .array([.null, .bool(true), .bool(false), .integer(-7), .number(1.5)])),
      ("b \"\\\n", .object([("ñ", .string("🦆\u{1}"))])), ("c", .array([])), ("d", .object([])),
    ])
    #expect(JSONValue(parsing: value.text) == value)
    #expect(JSONValue(parsing: value.text)?.text == value.text)
    #expect(try JSONValue(typed: value.shown(.pretty)) == value)
    #expect(JSONValue(parsing: " [1e3 , -0.5E-1] ") == .array([.number(1000), .number(-0.05)]))
    #expect(JSONValue(parsing: #""é🦆""#) == .string("é🦆"))
  }

  @Test(
    "numbers keep every digit",
    arguments: [
      "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1.50", "1E+3", "-0",
      "0.1", "123456789012345678901234567890.5",
    ])
  func digits(_ text: String) {
    #expect(JSONValue(parsing: text)?.text == text)
  }

  @Test("integers are equal digit by digit, others as they are read")
  func equality() {
    #expect(
      JSONValue(parsing: "18446744073709551615") != JSONValue(parsing: "18446744073709551614"))
    #expect(JSONValue(parsing: "-0") == .integer(0))
    #expect(JSONValue(parsing: "1e3") == .integer(1000))
    #expect(JSONValue(parsing: "1.50") == .number(1.5))
    #expect(JSONValue(parsing: "1.50")?.hashValue == JSONValue.number(1.5).hashValue)
    #expect(JSONValue.integer(1) != .bool(true))
  }

  @Test("numbers are asked for as integers and as doubles")
  func numbers() {
    #expect(JSONValue(parsing: "1e3")?.integerValue == 1000)
    #expect(JSONValue(parsing: "1.5")?.integerValue == nil)
    #expect(JSONValue(parsing: "9223372036854775808")?.integerValue == nil)
    #expect(JSONValue(parsing: "-9223372036854775808")?.integerValue == .min)
    #expect(JSONValue(parsing: "1e999")?.doubleValue == .infinity)
    #expect(JSONValue.string("1").integerValue == nil)
  }

  @Test(
    "what is not JSON is refused, whoever wrote it",
    arguments: [
      "", " ", "{", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{1: 2}", "nul", "01", "+1", "1.",
      "'a'",
      "\"a", "[] []", "\"\\x\"", "\u{feff}1", "{\"a\":1,}", "\u{0}", "{}{}", "```json\n{}\n```",
      "\"\\u12\"", "\"\\u+123\"", "\"\\", "\"\n\"", "-", "1e", "0x1", "NaN", "inf", ".5",
    ])
  func refused(_ text: String) {
    #expect(JSONValue(parsing: text) == nil)
    #expect(throws: JSONSyntaxError.self) { try JSONValue(typed: text) }
  }

  @Test("bytes that are not UTF-8 are refused")
  func notUTF8() {
    #expect(JSONValue(parsing: Array(#""a""#.utf8)) == .string("a"))
    #expect(JSONValue(parsing: [0x22, 0xff, 0x22]) == nil)
    #expect(JSONValue(parsing: [0x22, 0xed, 0xa0, 0x80, 0x22]) == nil)
  }

  @Test("depth is bounded", arguments: [1, 32, JSONValue.depthMax])
  func depth(_ most: Int) {
    func nested(_ count: Int) -> String {
      String(repeating: "[", count: count) + String(repeating: "]", count: count)
    }
    #expect(JSONValue(parsing: nested(most), depthMax: most) != nil)
    #expect(JSONValue(parsing: nested(most + 1), depthMax: most) == nil)
    #expect(JSONValue(parsing: nested(1_000_000), depthMax: most) == nil)
    #expect(JSONValue(parsing: String(repeating: #"{"a":"#, count: 1_000_000)) == nil)
    #expect(
      JSONValue(parsing: #""\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[""#, depthMax: 1) != nil)
  }

  @Test("a program's repeats and halves of surrogate pairs are read as PostgreSQL and Swift do")
  func received() {
    #expect(JSONValue(parsing: #"{"a": 1, "b": 3, "a": 2}"#)?.text == #"{"a":2,"b":3}"#)
    #expect(JSONValue(parsing: #""\ud83dx""#) == .string("\u{fffd}x"))
    #expect(JSONValue(parsing: #""\ud83d\ude00""#) == .string("😀"))
    #expect(JSONValue(parsing: "{} // no") == nil)
  }

  @Test("a person is told where and what is wrong, and may comment")
  func typed() throws {
    #expect(try JSONValue(typed: "// what\n{\"a\": 1} // so") == .object([("a", .integer(1))]))
    #expect(
      try JSONValue.sequence(typed: " {} 1\n[2]") == [
        .object([]), .integer(1), .array([.integer(2)]),
      ])
    #expect(try JSONValue.sequence(typed: " // nothing") == [])
    let repeated = #expect(throws: JSONSyntaxError.self) {
      try JSONValue(typed: "{\"é\": 1,\n  \"é\": 2}")
    }
    #expect(repeated?.description == "line 2, column 3: the name \"é\" stands twice in one object")
    let half = #expect(throws: JSONSyntaxError.self) { try JSONValue(typed: #"["\ud83d"]"#) }
    #expect(half?.description == "line 1, column 3: half of a surrogate pair")
  }

  @Test("what is shown cannot deceive a terminal")
  func shown() {
    let value = JSONValue.object([
      ("a", .string("x\n\u{1b}\u{9b}\u{202e}\u{2066}é")), ("b", .array([])),
    ])
    #expect(value.shown() == #"{"a":"x\n\u001b\u009b\u202e\u2066é","b":[]}"#)
    #expect(
      JSONValue.object([("a", .array([.integer(1), .object([])]))]).shown(.pretty)
        == "{\n  \"a\": [\n    1,\n    {}\n  ]\n}")
  }
}
