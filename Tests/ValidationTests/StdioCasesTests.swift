import Testing

@testable import Validation

@Suite struct StdioCasesTests {
  private static func difference(_ expected: String, _ got: String) -> String? {
    StdioCases.difference(
      expected: StdioCases.normalised(expected), got: StdioCases.normalised(got))
  }

  @Test(arguments: [
    ("1\n2\n", "1\n2"), ("1\n2", "1 \t\r\n2\n\n\n"), ("", "\n \n"), ("á\n", "á"), ("1\n2", "1\r2"),
  ])
  func `blanks at the ends of lines and of the output do not count`(_ pair: (String, String)) {
    #expect(Self.difference(pair.0, pair.1) == nil)
  }

  @Test(arguments: [
    ("1\n2", "1\u{b}2"), ("1\n2", "1\u{2028}2"), ("1 2", "1\u{a0}2"), ("1", " 1"),
    ("1\n\n2", "1\n2"),
    ("", "0"), ("1\n2", "1"), ("\u{fffd}a", "a"),
  ])
  func `everything else does`(_ pair: (String, String)) {
    #expect(Self.difference(pair.0, pair.1) != nil)
  }

  @Test func `what only looks the same is another text, and told so`() {
    #expect(Self.difference("caf\u{e9}", "cafe\u{301}")?.contains("looks the same") == true)
    #expect(Self.difference("a", "b") == "line 1: expected \"a\", got \"b\"")
  }
}
