import JSON
import Testing

@Suite struct JSONOmissionTests {
  private let omission = JSONOmission(
    ["secret", "key"], within: ["inner": JSONOmission(["secret"])])

  @Test(arguments: [
    (#"{}"#, #"{}"#),
    (#"{"secret": 1}"#, #"{}"#),
    (#"{ "a" : 1 , "secret" : {"b": [1, "}"]} , "c" : 2 }"#, #"{"a" : 1,"c" : 2}"#),
    (#"{"key": null, "a": "\"secret\"", "secret": "x"}"#, #"{"a": "\"secret\""}"#),
    (#"{"inner": {"secret": "x", "b": 2}, "secret": 0}"#, #"{"inner": {"b": 2}}"#),
    // Only where it is a member of the object that is meant.
    (#"{"inner": ["secret"], "b": {"secret": 1}}"#, #"{"inner": ["secret"],"b": {"secret": 1}}"#),
    // Written otherwise, and twice.
    (#"{"secr\u0065t": 1, "secret": 2, "b": 3}"#, #"{"b": 3}"#),
    (#"{"inner": {"secr\u0065t": 1}}"#, #"{"inner": {}}"#),
    (#"{"ñ": "año", "secret": "🔑"}"#, #"{"ñ": "año"}"#),
  ])
  func chosenMembersAreLeftOut(_ text: String, _ expected: String) {
    #expect(omission.text(of: text) == expected)
  }

  @Test(arguments: [
    "", "null", "[]", "{", #"{"a"}"#, #"{"a": 1} {"#, #"{"secret": }"#, #"{"a": 1,}"#,
  ])
  func whatIsNoObjectHasNoText(_ text: String) { #expect(omission.text(of: text) == nil) }

  @Test func depthIsBounded() {
    let deep = 100_000
    let text =
      #"{"a": "# + String(repeating: "[", count: deep) + String(repeating: "]", count: deep) + "}"
    #expect(omission.text(of: text) == nil)
    let nested = String(repeating: #"{"inner": "#, count: deep)
    #expect(omission.text(of: nested) == nil)
  }
}
