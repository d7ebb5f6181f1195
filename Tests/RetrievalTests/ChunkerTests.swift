import Domain
import Retrieval
import Testing

@Suite struct `A chunker` {
  private let chunker = Chunker(tokenCountMax: 64, tokenCountAim: 24)

  private func section(_ blocks: [DocumentBlock], _ headings: [String] = ["Uno", "Dos"])
    -> DocumentSection
  {
    DocumentSection(anchor: "dos", headings: headings, blocks: blocks)
  }

  @Test func `keeps a short section whole, under its headings`() {
    let chunks = chunker.chunks(of: [
      section([.prose("Hola."), .code("x = 1", language: "python")])
    ])
    #expect(
      chunks == [
        DocumentChunk(anchor: "dos", title: "Dos", content: "Uno › Dos\n\nHola.\n\nx = 1")
      ])
    #expect(chunker.chunks(of: []) == [])
    let bare = chunker.chunks(of: [section([.prose("Hola.")], [])])
    #expect(bare.map(\.content) == ["Hola."])
  }

  @Test func `cuts between paragraphs, then sentences, then lines of code`() {
    let sentence = "Una frase de unas cuantas palabras más. "
    let text = String(repeating: sentence, count: 5)
    let prose = chunker.chunks(of: [section([.prose(text), .prose("Corta.")])])
    #expect(prose.count > 2)
    for chunk in prose.dropLast() { #expect(chunk.content.hasSuffix(".")) }
    let code = (0..<20).map { "    valor_\($0) = llamada(\($0))" }
    let cut = chunker.chunks(of: [section([.code(code.joined(separator: "\n"), language: "")])])
    #expect(cut.count > 2)
    let lines = cut.flatMap { $0.content.split(separator: "\n").dropFirst().map(String.init) }
    #expect(lines == code)
  }

  @Test func `never tears a line of code that a chunk can hold`() {
    let line = "f(" + String(repeating: "abcd, ", count: 20) + ")"
    #expect(TokenEstimate.count(line) > 24 && TokenEstimate.count(line) < 50)
    let chunks = chunker.chunks(of: [section([.code("\(line)\n\(line)", language: "")])])
    #expect(chunks.count == 2 && chunks.allSatisfy { $0.content.hasSuffix(line) })
  }

  @Test(arguments: 0..<200) func `loses nothing and holds its limits, whatever comes`(seed: Int) {
    var random = Dice(seed: UInt64(seed))
    let words = [
      "hola", "FastAPI", "¿qué?", "fin.", "123456", "\n", "\n\n", "    ", "\t", "{}[]()", "ñandú…",
      "日本語のテキスト", String(repeating: "x", count: 400), "👩‍👩‍👧", String(repeating: " ", count: 90),
      String(repeating: "!", count: 120), "e\u{301}\u{301}\u{301}", "a.b", "«sí».",
    ]
    func text() -> String {
      (0..<random.next(80)).map { _ in words[random.next(words.count)] }.joined(separator: " ")
    }
    let sections = (0..<(1 + random.next(4))).map { number in
      DocumentSection(
        anchor: "a\(number)", headings: (0..<random.next(4)).map { _ in text() },
        blocks: (0..<random.next(6)).map { _ in
          random.next(2) == 0 ? .prose(text()) : .code(text(), language: "")
        })
    }
    let chunker = Chunker(
      tokenCountMax: 40 + random.next(500), tokenCountAim: 20 + random.next(200))
    let chunks = chunker.chunks(of: sections)
    for chunk in chunks {
      #expect(TokenEstimate.count(chunk.content) <= chunker.tokenCountMax)
    }
    func letters(_ text: some StringProtocol) -> String {
      String(String.UnicodeScalarView(text.unicodeScalars.filter { !$0.properties.isWhitespace }))
    }
    for section in sections {
      let own = chunks.filter { $0.anchor == section.anchor }
      let whole = section.blocks.map { block in
        switch block {
        case .prose(let text), .code(let text, _): letters(text)
        }
      }.joined()
      // Behind the line of headings that each begins with.
      let bodies = own.map { chunk in
        let hasHead = section.headings.contains { !letters($0).isEmpty }
        guard hasHead, let end = chunk.content.firstRange(of: "\n\n") else { return chunk.content }
        return String(chunk.content[end.upperBound...])
      }
      if section.headings.isEmpty { #expect(letters(bodies.joined()) == whole) }
      #expect(own.isEmpty == section.blocks.isEmpty || whole.isEmpty)
    }
    #expect(chunker.chunks(of: sections) == chunks)
  }
}

@Suite struct `A plan of chunks` {
  private func identity(_ byte: Int) -> ChunkIdentity {
    ChunkIdentity(contentHash: [UInt8(byte)], anchor: "", language: "es")
  }

  private func plan(_ old: [(Int32, Int)], _ new: [Int]) throws -> ChunkPlan {
    try ChunkPlan(
      old: old.map { StoredChunk(number: $0.0, identity: identity($0.1)) },
      new: new.map(identity), range: 100..<110)
  }

  @Test func `keeps what is the same, and rewrites as few rows as can be`() throws {
    let first = try plan([], [1, 2, 3])
    #expect(first.numbers == [100, 101, 102] && first.addedCount == 3)
    let old: [(Int32, Int)] = [(100, 1), (101, 2), (102, 3)]
    let same = try plan(old, [1, 2, 3])
    #expect(same.written == [] && same.removed == [] && same.keptCount == 3)
    let inserted = try plan(old, [1, 9, 2, 3])
    #expect(inserted.numbers == [100, 103, 101, 102] && inserted.written == [1])
    let changed = try plan(old, [1, 9, 3])
    #expect(changed.numbers == [100, 101, 102] && changed.changedCount == 1)
    let removed = try plan(old, [3])
    #expect(removed.numbers == [102] && removed.removed == [100, 101])
    #expect(try plan(old, [2, 2, 2]).keptCount == 1)
    #expect(throws: DomainError.self) { try plan([], Array(0..<11)) }
  }

  @Test(arguments: 0..<300) func `leaves exactly the new chunks, each under one number`(seed: Int)
    throws
  {
    var random = Dice(seed: UInt64(seed))
    let numbers = (100..<110).shuffled(using: &random).prefix(random.next(11))
    let old = numbers.map { (Int32($0), random.next(6)) }
    let new = (0..<random.next(11)).map { _ in random.next(6) }
    let plan = try plan(old, new)
    var rows = Dictionary(uniqueKeysWithValues: old)
    for number in plan.removed { rows[number] = nil }
    for index in plan.written { rows[plan.numbers[index]] = new[index] }
    #expect(Set(plan.numbers).count == new.count)
    #expect(rows.count == new.count)
    for (index, number) in plan.numbers.enumerated() { #expect(rows[number] == new[index]) }
    // As many as can be are kept.
    let shared = Set(new).map { value in
      min(new.count { $0 == value }, old.count { $0.1 == value })
    }
    #expect(plan.keptCount == shared.reduce(0, +))
    #expect(plan.changedCount + plan.removed.count + plan.keptCount == old.count)
  }
}

/// Random numbers that come again with the same seed.
private struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state >> 33) << 32 | (state &* 0xff51_afd7_ed55_8ccd) >> 32
  }

  mutating func next(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
