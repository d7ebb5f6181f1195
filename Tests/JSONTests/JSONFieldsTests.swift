import JSON
import Testing

@Suite("Fields of JSON text")
struct JSONFieldsTests {
  private func fields(_ text: String) -> JSONFields {
    JSONFields(of: text, names: ["a", "b", "é"])
  }

  private func number(_ digits: String) -> JSONFields.Value? {
    guard case .number(let number) = JSONValue(parsing: digits) else { return nil }
    return .number(number)
  }

  @Test("are read by name, whatever lies between")
  func reads() {
    let text = #" { "x" : {"a":[1,{"a":2}]}, "a" : -12 , "y":"\\\"}", "b":"t" } "#
    #expect(fields(text)["a"] == .number(JSONNumber(-12)))
    #expect(fields(text)["b"] == .string("t"))
    #expect(fields(text)["x"] == nil)
  }

  @Test("keep every JSON type")
  func types() {
    #expect(fields(#"{"a":null}"#)["a"] == .null)
    #expect(fields(#"{"a":true,"b":false}"#)["a"] == .bool(true))
    #expect(fields(#"{"a":true,"b":false}"#)["b"] == .bool(false))
    #expect(fields(#"{"a":0.5}"#)["a"] == number("0.5"))
    #expect(fields(#"{"a":-1.5E+3}"#)["a"] == number("-1.5E+3"))
    #expect(fields(#"{"a":9223372036854775808}"#)["a"] == number("9223372036854775808"))
    #expect(fields(#"{"a":[1, {"b":2}]}"#)["a"] == .nested(#"[1, {"b":2}]"#))
    #expect(fields(#"{"a":{},"b":[]}"#)["b"] == .nested("[]"))
  }

  @Test("take the last of repeated members, as jsonb does")
  func repeated() {
    #expect(fields(#"{"a":1,"a":2}"#)["a"] == .number(JSONNumber(2)))
  }

  @Test("unescape strings and names")
  func strings() {
    #expect(fields(#"{"a":"\n\t\r\b\f\/\\\"x"}"#)["a"] == .string("\n\t\r\u{8}\u{c}/\\\"x"))
    #expect(fields(#"{"a":"\u00e9\ud83d\ude00z"}"#)["a"] == .string("é😀z"))
    #expect(fields(#"{"\u0061":1}"#)["a"] == .number(JSONNumber(1)))
    #expect(fields(#"{"é":"ñ"}"#)["é"] == .string("ñ"))
    #expect(fields(#"{"a":"\ud83dx"}"#)["a"] == .string("\u{fffd}x"))
    #expect(fields(#"{"a":""}"#)["a"] == .string(""))
  }

  @Test(
    "are none where the text is not a JSON object",
    arguments: [
      "", " ", "null", "1", "[]", #""a""#, "{", "}", #"{"a"}"#, #"{"a":}"#, #"{"a":1"#,
      #"{"a":1,}"#, #"{"a":1}x"#, #"{"a":1}{"#, #"{a:1}"#, #"{"a":01}"#, #"{"a":+1}"#,
      #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":1e}"#, #"{"a":-}"#, #"{"a":inf}"#, #"{"a":0x1}"#,
      #"{"a":NaN}"#, #"{"a":"x}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\u+123"}"#,
      "{\"a\":\"\n\"}", #"{"a":"\"#, #"{"a":tru}"#, #"{"a":1 "b":2}"#, #"{"a":[1,]}"#,
      #"{"a":1,"b":"#, "{\"a\":1,\u{0}}",
    ])
  func refused(text: String) {
    #expect(fields(text)["a"] == nil)
  }

  @Test("of text nested without end are none, and nothing overflows")
  func depth() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(fields("{\"b\":\(deep)")["b"] == nil)
    let open = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
    #expect(fields("{\"b\":\(open)}")["b"] == .nested(open))
    let members = String(repeating: "{\"b\":", count: 100_000)
    #expect(fields(members)["b"] == nil)
  }
}
