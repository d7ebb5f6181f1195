import Domain
import Retrieval
import Testing

/// What the embedder is given instead of a passage's text.
@Suite struct EmbeddedTextTests {
  @Test func aGoalsTitleCountsTwiceAndItsPartsAreSentences() {
    #expect(
      EmbeddedText.text(of: .goal, content: "Learn Rust\nOwnership and lifetimes\nA parser works")
        == "Learn Rust. Learn Rust. Ownership and lifetimes. A parser works")
  }

  @Test(arguments: ["Learn Rust", "", "\n", "\n\nLearn Rust\n"])
  func aGoalOfOneLineStaysAsItIs(content: String) {
    #expect(EmbeddedText.text(of: .goal, content: content) == content)
  }

  @Test(arguments: [PassageKind.course, .codeSnapshot])
  func sectionsAndCodeStayAsTheyAre(kind: PassageKind) {
    #expect(EmbeddedText.text(of: kind, content: "a\nb\r\nc") == "a\nb\r\nc")
  }
}
