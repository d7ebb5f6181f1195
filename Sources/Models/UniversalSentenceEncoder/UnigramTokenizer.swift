/// Cuts a text into the pieces of the model's vocabulary: of all ways to cut it the one with the
/// highest sum of scores (SentencePiece's unigram model, by Viterbi's algorithm).
struct UnigramTokenizer: Sendable {
  struct Tokens: Equatable {
    /// Rows of the model's table, its marks of beginning and end included.
    var ids: [Int]
    /// The text has more tokens than these.
    var isTruncated: Bool
  }

  /// No text has fewer tokens: beginning, one for "nothing known", end.
  static let tokenCountMin = 3

  private static let unknown = 0
  private static let beginning = 1
  private static let end = 2
  /// How much worse than the worst piece a character is that no piece knows.
  private static let unknownPenalty = 10.0

  let vocabularyCount: Int
  private let normalizer: TextNormalizer
  private let scores: Numbers<Float>
  private let trie: PieceTrie
  private let unknownScore: Double

  init(_ file: ModelFile) throws(ModelFileError) {
    normalizer = try TextNormalizer(file)
    scores = try file.floats("piece_scores")
    vocabularyCount = scores.count
    trie = try PieceTrie(file, pieceCount: scores.count)
    let (areFinite, worst) = scores.withBuffer { scores in
      (scores.allSatisfy(\.isFinite), scores.min() ?? 0)
    }
    guard areFinite, vocabularyCount > Self.end else {
      throw file.damaged("its vocabulary has no scores")
    }
    unknownScore = Double(worst) - Self.unknownPenalty
  }

  /// At most `countMax` tokens of `text`, and at least `tokenCountMin`.
  func tokens(of text: String, countMax: Int) -> Tokens {
    // Enough for so many of the longest pieces (48 bytes) and for what decides where the last one
    // ends; a longer text has more tokens than that for certain. Only where nothing separates words
    // (one letter 40,000 times) may what is left out have changed the tokens before it.
    let byteCountMax = countMax * 64
    var text = text
    let normalized = text.withUTF8 { utf8 in
      normalizer.normalize(utf8, byteCountMax: byteCountMax)
    }
    var pieces: [Int] = trie.withNodes { nodes in
      scores.withBuffer { scores in bestCut(of: normalized.bytes, nodes, scores) }
    }
    if pieces.isEmpty { pieces = [Self.unknown] }
    let room = max(countMax, Self.tokenCountMin) - 2
    let isTruncated = normalized.isTruncated || pieces.count > room
    return Tokens(
      ids: [Self.beginning] + pieces.prefix(room) + [Self.end], isTruncated: isTruncated)
  }

  /// The best way to reach a place in the text.
  private struct Arrival {
    var score = -1e38
    var start = 0
    var piece = 0
  }

  private func bestCut(
    of text: [UInt8], _ nodes: PieceTrie.Nodes, _ scores: UnsafeBufferPointer<Float>
  ) -> [Int] {
    var arrivals = [Arrival](repeating: Arrival(), count: text.count + 1)
    arrivals[0].score = 0
    var start = 0
    while start < text.count {
      let base = arrivals[start].score
      let characterEnd = min(start + utf8Length(text[start]), text.count)
      var isCharacterKnown = false
      var node = 0
      var end = start
      // As deep as the longest piece at most.
      while end < text.count, let child = nodes.child(of: node, labelled: text[end]) {
        node = child
        end += 1
        guard let piece = nodes.piece(endingAt: node) else { continue }
        let score = base + Double(scores[piece])
        if score > arrivals[end].score {
          arrivals[end] = Arrival(score: score, start: start, piece: piece)
        }
        if end == characterEnd { isCharacterKnown = true }
      }
      if !isCharacterKnown, base + unknownScore > arrivals[characterEnd].score {
        arrivals[characterEnd] = Arrival(
          score: base + unknownScore, start: start, piece: Self.unknown)
      }
      start = characterEnd
    }
    return path(through: arrivals)
  }

  private func path(through arrivals: [Arrival]) -> [Int] {
    var pieces: [Int] = []
    var position = arrivals.count - 1
    while position > 0 {
      pieces.append(arrivals[position].piece)
      // Every arrival starts before where it ends, so this comes to an end.
      position = min(arrivals[position].start, position - 1)
    }
    return pieces.reversed()
  }
}

/// The vocabulary by prefixes. Nodes are numbered level by level, so the children of one stand side
/// by side, in the order of their labels.
struct PieceTrie: Sendable {
  private let labels: Numbers<UInt8>
  private let first: Numbers<UInt32>
  private let ends: Numbers<UInt32>

  /// Checks every node, so that a walk needs no checks.
  init(_ file: ModelFile, pieceCount: Int) throws(ModelFileError) {
    labels = try file.bytes("trie_labels")
    first = try file.integers("trie_first", count: labels.count + 1)
    ends = try file.integers("trie_ends", count: labels.count)
    let isSound = withNodes { nodes in nodes.areSound(pieceCount: pieceCount) }
    guard isSound else { throw file.damaged("its vocabulary is not a tree") }
  }

  func withNodes<Result>(_ body: (Nodes) -> Result) -> Result {
    labels.withBuffer { labels in
      first.withBuffer { first in
        ends.withBuffer { ends in body(Nodes(labels: labels, first: first, ends: ends)) }
      }
    }
  }

  struct Nodes {
    let labels: UnsafeBufferPointer<UInt8>
    /// The children of node i are `first[i] ..< first[i + 1]`.
    let first: UnsafeBufferPointer<UInt32>
    /// The piece that ends at a node, plus one; 0 for none.
    let ends: UnsafeBufferPointer<UInt32>

    func piece(endingAt node: Int) -> Int? {
      ends[node] == 0 ? nil : Int(ends[node]) - 1
    }

    func child(of node: Int, labelled label: UInt8) -> Int? {
      var low = Int(first[node])
      var high = Int(first[node + 1])
      while low < high {
        let middle = (low + high) / 2
        if labels[middle] < label { low = middle + 1 } else { high = middle }
      }
      return low < Int(first[node + 1]) && labels[low] == label ? low : nil
    }

    fileprivate func areSound(pieceCount: Int) -> Bool {
      guard first[0] == 1, Int(first[labels.count]) == labels.count else { return false }
      for node in labels.indices {
        guard first[node] <= first[node + 1], Int(ends[node]) <= pieceCount else { return false }
      }
      return true
    }
  }
}
