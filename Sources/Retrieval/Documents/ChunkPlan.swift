package import Domain

/// What becomes of the chunks of one document when its text changes: which stay as they are, which
/// rows get another text, which come and which go.
package struct ChunkPlan: Sendable, Hashable {
  /// The number of each new chunk, in their order.
  package private(set) var numbers: [Int32] = []
  /// Indices of the new chunks that must be written: those whose identity no old one has.
  package private(set) var written: [Int] = []
  /// How many of the written take the row of an old one.
  package private(set) var changedCount = 0
  /// Numbers that nothing has any more.
  package private(set) var removed: [Int32] = []

  /// What there are too many of in a document that is refused for its length.
  package static let limitName = "chunks of a document"

  package var keptCount: Int { numbers.count - written.count }
  package var addedCount: Int { written.count - changedCount }

  /// - Parameter range: the numbers that this document may use; a chunk that finds none free there
  ///   is refused.
  package init(
    old: [StoredChunk], new: [ChunkIdentity], range: Range<Int32>
  ) throws(DomainError) {
    guard new.count <= range.count else {
      throw .limitReached(Self.limitName, maximum: range.count)
    }
    // Equal ones are matched in their order; last first, so that they can be taken off the end.
    var byIdentity: [ChunkIdentity: [Int32]] = [:]
    for chunk in old.sorted(by: { $0.number > $1.number }) where range.contains(chunk.number) {
      byIdentity[chunk.identity, default: []].append(chunk.number)
    }
    var kept: [Int32?] = []
    for identity in new { kept.append(byIdentity[identity]?.popLast()) }
    var left = byIdentity.values.joined().sorted(by: >)
    let used = Set(old.map(\.number))
    var next = range.lowerBound
    for (index, number) in kept.enumerated() {
      if let number {
        numbers.append(number)
        continue
      }
      written.append(index)
      if let reused = left.popLast() {
        changedCount += 1
        numbers.append(reused)
        continue
      }
      while used.contains(next) { next += 1 }
      numbers.append(next)
      next += 1
    }
    removed = left.sorted() + old.map(\.number).filter { !range.contains($0) }.sorted()
  }
}
