import Testing

@testable import Models

@Suite struct TokenizerTests {
  private func tokenizer() throws -> UnigramTokenizer {
    try UnigramTokenizer(ModelFile(path: Installed.folder.get() + "/" + ModelFile.name))
  }

  @Test func `Tokens are those of the Python package`() throws {
    let tokenizer = try tokenizer()
    for reference in Reference.all {
      let tokens = tokenizer.tokens(of: reference.wholeText, countMax: 512)
      #expect(tokens.ids == reference.tokens, "\(reference.testDescription)")
      #expect(tokens.isTruncated == reference.isTruncated, "\(reference.testDescription)")
    }
  }

  @Test func `A limit cuts the same tokens off`() throws {
    let tokenizer = try tokenizer()
    for reference in Reference.all.prefix(40) {
      for limit in [3, 4, 10, 31] {
        let tokens = tokenizer.tokens(of: reference.wholeText, countMax: limit)
        let isCut = reference.tokens.count > limit
        #expect(tokens.ids.count == min(limit, reference.tokens.count))
        #expect(tokens.ids.dropLast().elementsEqual(reference.tokens.prefix(tokens.ids.count - 1)))
        #expect(tokens.isTruncated == isCut, "\(reference.testDescription) at \(limit)")
      }
    }
  }

  @Test func `Every token has a row, whatever the text`() throws {
    let tokenizer = try tokenizer()
    for scalar in stride(from: UInt32(0), through: 0x10FFFF, by: 37) {
      guard let scalar = Unicode.Scalar(scalar) else { continue }
      let tokens = tokenizer.tokens(of: String(scalar), countMax: 512)
      #expect(tokens.ids.count >= 3)
      #expect(tokens.ids.allSatisfy { (0..<tokenizer.vocabularyCount).contains($0) })
    }
  }
}
