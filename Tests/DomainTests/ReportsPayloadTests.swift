import Domain
import Testing

@Suite("Payload fields")
struct ReportsPayloadTests {
  private func fields(_ text: String) -> PayloadFields {
    PayloadFields(of: text, names: ["a", "b", "é"])
  }

  @Test("are read by name, whatever lies between")
  func reads() {
    let text = #" { "x" : {"a":[1,{"a":2}]}, "a" : -12 , "y":"\\\"}", "b":"t" } "#
    #expect(fields(text)["a"] == .integer(-12))
    #expect(fields(text)["b"] == .string("t"))
    #expect(fields(text)["x"] == nil)
  }

  @Test("keep every JSON type")
  func types() {
    #expect(fields(#"{"a":null}"#)["a"] == .null)
    #expect(fields(#"{"a":true,"b":false}"#)["a"] == .bool(true))
    #expect(fields(#"{"a":true,"b":false}"#)["b"] == .bool(false))
    #expect(fields(#"{"a":0.5}"#)["a"] == .number(0.5))
    #expect(fields(#"{"a":-1.5E+3}"#)["a"] == .number(-1500))
    #expect(fields(#"{"a":9223372036854775808}"#)["a"] == .number(9_223_372_036_854_775_808))
    #expect(fields(#"{"a":[1, {"b":2}]}"#)["a"] == .nested(#"[1, {"b":2}]"#))
    #expect(fields(#"{"a":{},"b":[]}"#)["b"] == .nested("[]"))
  }

  @Test("take the last of repeated members, as jsonb does")
  func repeated() {
    #expect(fields(#"{"a":1,"a":2}"#)["a"] == .integer(2))
  }

  @Test("unescape strings and names")
  func strings() {
    #expect(fields(#"{"a":"\n\t\r\b\f\/\\\"x"}"#)["a"] == .string("\n\t\r\u{8}\u{c}/\\\"x"))
    #expect(fields(#"{"a":"\u00e9\ud83d\ude00z"}"#)["a"] == .string("é😀z"))
    #expect(fields(#"{"\u0061":1}"#)["a"] == .integer(1))
    #expect(fields(#"{"é":"ñ"}"#)["é"] == .string("ñ"))
    #expect(fields(#"{"a":"\ud83dx"}"#)["a"] == .string("\u{fffd}x"))
    #expect(fields(#"{"a":""}"#)["a"] == .string(""))
  }

  @Test(
    "are none where the text is no JSON object",
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

  @Test("give a score of either name and of numbers only")
  func scores() {
    #expect(ValidationScore.of(payload: #"{"validation_score":0.5,"score":1}"#) == 0.5)
    #expect(ValidationScore.of(payload: #"{"score":1}"#) == 1)
    #expect(ValidationScore.of(payload: #"{"validation_score":null,"score":0.25}"#) == 0.25)
    #expect(ValidationScore.of(payload: #"{"validation_score":"1"}"#) == nil)
    #expect(ValidationScore.of(payload: #"{"validation_score":true}"#) == nil)
    #expect(ValidationScore.of(payload: "") == nil)
  }
}
