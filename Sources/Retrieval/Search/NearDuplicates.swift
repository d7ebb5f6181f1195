import Domain

/// Keeps results apart: nearly the same text is one result with a count, and what says much of what a
/// better result says comes after the rest.
///
/// Texts are compared by their runs of three words (shingles): the share of both that is common.
struct NearDuplicates {
  /// From so much on they are the same.
  static let sameShare = 0.9
  /// From so much on one says little that the other does not.
  static let similarShare = 0.75
  /// Runs of a text that are compared, and how many texts are found to be the same as others: what that
  /// costs is bounded whatever is stored.
  private static let shingleMax = 2_000
  static let sameMax = 500

  private(set) var sameCount = 0
  private var kept: [(hit: RetrievedPassage, shingles: Set<Int>)] = []
  private var later: [(hit: RetrievedPassage, shingles: Set<Int>)] = []

  /// How many different results there are.
  var count: Int { kept.count + later.count }

  /// The results in their order, what is much like a better one last.
  var hits: [RetrievedPassage] { kept.map(\.hit) + later.map(\.hit) }

  mutating func add(_ hit: RetrievedPassage) {
    let shingles = Self.shingles(of: hit.passage.content)
    var closest = 0.0
    for index in kept.indices where kept[index].hit.passage.kind == hit.passage.kind {
      let share = Self.share(kept[index].shingles, shingles)
      if share >= Self.sameShare {
        kept[index].hit.duplicateCount += 1
        sameCount += 1
        return
      }
      closest = max(closest, share)
    }
    for index in later.indices where later[index].hit.passage.kind == hit.passage.kind {
      if Self.share(later[index].shingles, shingles) >= Self.sameShare {
        later[index].hit.duplicateCount += 1
        sameCount += 1
        return
      }
    }
    if closest >= Self.similarShare {
      later.append((hit, shingles))
    } else {
      kept.append((hit, shingles))
    }
  }

  private static func share(_ left: Set<Int>, _ right: Set<Int>) -> Double {
    let (small, large) = left.count < right.count ? (left, right) : (right, left)
    // No need to look where the sizes alone say no.
    guard !large.isEmpty, Double(small.count) >= similarShare * Double(large.count) else {
      return 0
    }
    let common = small.count { large.contains($0) }
    return Double(common) / Double(small.count + large.count - common)
  }

  /// Hashes of the runs of three words; of a shorter text, that of all of it.
  static func shingles(of content: String) -> Set<Int> {
    var shingles: Set<Int> = []
    var last: [Int] = []
    var word = Hasher()
    var isInWord = false
    func run(_ words: [Int]) -> Int {
      var hasher = Hasher()
      for word in words { hasher.combine(word) }
      return hasher.finalize()
    }
    func close() {
      guard isInWord else { return }
      last.append(word.finalize())
      word = Hasher()
      isInWord = false
      if last.count == 3 {
        shingles.insert(run(last))
        last.removeFirst()
      }
    }
    for scalar in content.unicodeScalars {
      if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
        word.combine(scalar.properties.lowercaseMapping)
        isInWord = true
      } else {
        close()
        if shingles.count >= shingleMax { break }
      }
    }
    close()
    if shingles.isEmpty { shingles.insert(run(last)) }
    return shingles
  }
}
