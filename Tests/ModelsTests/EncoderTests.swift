import Domain
import Models
import Testing

@Suite struct EncoderTests {
  /// But for the rounding of the weights to 8 bits.
  @Test func `Vectors are those of the Python package`() async throws {
    let encoder = try Installed.encoder.get()
    #expect(Reference.all.count >= 60)
    let embeddings = try await encoder.embed(Reference.all.map(\.wholeText))
    #expect(embeddings.count == Reference.all.count)
    for (reference, embedding) in zip(Reference.all, embeddings) {
      #expect(embedding.vector.count == 512)
      #expect(
        cosine(embedding.vector, reference.floats) >= 0.9995, "\(reference.testDescription)")
      #expect(embedding.isTruncated == reference.isTruncated, "\(reference.testDescription)")
      #expect(abs(length(embedding.vector) - 1) < 1e-5)
    }
  }

  @Test func `A text has the same vector alone, among others and on every thread`() async throws {
    let encoder = try Installed.encoder.get()
    let texts = Reference.all.prefix(50).map(\.wholeText)
    let together = try await encoder.embed(Array(texts))
    try await withThrowingTaskGroup(of: (Int, [TextEmbedding]).self) { group in
      for repetition in 0..<2 {
        for (index, text) in texts.enumerated() {
          let pair = repetition == 0 ? [text] : ["another text", text].reversed()
          group.addTask { (index, try await encoder.embed(pair)) }
        }
      }
      for try await (index, alone) in group {
        // Bit for bit.
        #expect(alone.first == together[index])
      }
    }
  }

  @Test func `No texts give no vectors, and too many are refused`() async throws {
    let encoder = try Installed.encoder.get()
    #expect(try await encoder.embed([]) == [])
    let maximum = UniversalSentenceEncoder.textCountMax
    #expect(try await encoder.embed(Array(repeating: "a", count: maximum)).count == maximum)
    await #expect(throws: EmbedderError.tooManyTexts(maximum: maximum)) {
      try await encoder.embed(Array(repeating: "a", count: maximum + 1))
    }
  }

  @Test func `A cancelled call ends without vectors`() async throws {
    let encoder = try Installed.encoder.get()
    let task = Task {
      // Cancelled before it begins.
      while !Task.isCancelled { await Task.yield() }
      return try await encoder.embed(["a", "b"])
    }
    task.cancel()
    await #expect(throws: EmbedderError.cancelled) { try await task.value }
  }

  @Test func `Whatever the text holds, there is a vector of length 1`() async throws {
    let encoder = try Installed.encoder.get()
    var random = SplitMix(state: 20_261_123)
    var texts: [String] = []
    for _ in 0..<120 {
      let bytes = (0..<Int(random.next() % 80)).map { _ in UInt8(truncatingIfNeeded: random.next())
      }
      texts.append(String(decoding: bytes, as: UTF8.self))
      let scalars = (0..<Int(random.next() % 40)).compactMap { _ in
        Unicode.Scalar(UInt32(random.next() % 0x11_0000))
      }
      texts.append(String(String.UnicodeScalarView(scalars)))
    }
    texts.append(String(repeating: " ", count: 1 << 20) + "a")
    texts.append("a" + String(repeating: "\u{200b}\u{0}\u{feff}", count: 1 << 16))
    let embeddings = try await encoder.embed(texts)
    for embedding in embeddings {
      #expect(abs(length(embedding.vector) - 1) < 1e-5)
    }
    #expect(embeddings.dropLast(2).allSatisfy { !$0.isTruncated })
  }

  @Test func `What continues after the limit is told, and white space there is not`() async throws {
    let encoder = try Installed.encoder.get()
    let word = String(repeating: "a ", count: 510)
    let embeddings = try await encoder.embed([
      word, word + String(repeating: " \n", count: 100_000), word + "b",
      String(repeating: "x", count: 1 << 18),
    ])
    #expect(embeddings.map(\.isTruncated) == [false, false, true, true])
    #expect(embeddings[0].vector == embeddings[1].vector)
    #expect(embeddings[0].vector == embeddings[2].vector)
  }

  @Test func `Under another name it gives the same vectors`() async throws {
    let encoder = try Installed.encoder.get()
    let former = StandInEmbedder(encoder, named: UniversalSentenceEncoder.formerName)
    #expect(former.model.name == "use-multilingual-3")
    #expect(former.model.dimensionCount == encoder.model.dimensionCount)
    #expect(try await former.embed(["hito"]) == encoder.embed(["hito"]))
  }

  @Test func `The model tells its name and sizes`() throws {
    let model = try Installed.encoder.get().model
    #expect(
      model
        == EmbeddingModel(name: "use-multilingual-3-int8", dimensionCount: 512, tokenCountMax: 512))
  }
}

/// Random numbers that are the same in every run.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

private func length(_ vector: [Float]) -> Double {
  vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
}
