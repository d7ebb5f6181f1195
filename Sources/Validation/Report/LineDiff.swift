/// What became of the lines of a text: Myers' shortest edit script, with a bound on work.
package enum LineDiff {
  package enum Change: String, Sendable, Hashable {
    case same
    case removed
    case added
  }

  package struct Line: Sendable, Hashable {
    package var change: Change
    package var text: String

    package init(_ change: Change, _ text: String) {
      self.change = change
      self.text = text
    }
  }

  /// Differences beyond which the rest of a text counts as replaced. Work and memory grow with its square.
  package static let editCountMax = 1000

  /// The lines of both texts in order: removed ones before those that were added in their place.
  package static func lines(from old: String, to new: String) -> [Line] {
    let old = split(old)
    let new = split(new)
    var start = 0
    while start < old.count, start < new.count, old[start] == new[start] { start += 1 }
    var end = 0
    while end < old.count - start, end < new.count - start,
      old[old.count - 1 - end] == new[new.count - 1 - end]
    { end += 1 }
    let middle = edits(
      Array(old[start..<old.count - end]), Array(new[start..<new.count - end]))
    return old[..<start].map { Line(.same, $0) } + middle
      + old[(old.count - end)...].map { Line(.same, $0) }
  }

  private static func split(_ text: String) -> [String] {
    guard !text.isEmpty else { return [] }
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(
      String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  private static func edits(_ old: [String], _ new: [String]) -> [Line] {
    guard !old.isEmpty, !new.isEmpty, let path = path(old, new) else {
      return old.map { Line(.removed, $0) } + new.map { Line(.added, $0) }
    }
    return path
  }

  /// Nil where the texts differ by more than `editCountMax` lines.
  private static func path(_ old: [String], _ new: [String]) -> [Line]? {
    let most = min(old.count + new.count, editCountMax)
    var reach = [Int](repeating: 0, count: 2 * most + 3)
    let middle = most + 1
    var history: [[Int]] = []
    for count in 0...most {
      // Only what the step reached is kept: 2 * count + 1 of them.
      history.append(Array(reach[(middle - count - 1)...(middle + count + 1)]))
      for diagonal in stride(from: -count, through: count, by: 2) {
        let isDown =
          diagonal == -count
          || (diagonal != count && reach[middle + diagonal - 1] < reach[middle + diagonal + 1])
        var x = isDown ? reach[middle + diagonal + 1] : reach[middle + diagonal - 1] + 1
        var y = x - diagonal
        while x < old.count, y < new.count, old[x] == new[y] {
          x += 1
          y += 1
        }
        reach[middle + diagonal] = x
        if x >= old.count, y >= new.count { return walk(back: history, old, new) }
      }
    }
    return nil
  }

  private static func walk(back history: [[Int]], _ old: [String], _ new: [String]) -> [Line] {
    var lines: [Line] = []
    var (x, y) = (old.count, new.count)
    for count in history.indices.reversed() {
      let reach = history[count]
      let middle = count + 1
      let diagonal = x - y
      let isDown =
        diagonal == -count
        || (diagonal != count && reach[middle + diagonal - 1] < reach[middle + diagonal + 1])
      let before = isDown ? diagonal + 1 : diagonal - 1
      let fromX = count == 0 ? 0 : reach[middle + before]
      let fromY = count == 0 ? 0 : fromX - before
      while x > fromX, y > fromY, x > 0, y > 0, old[x - 1] == new[y - 1] {
        lines.append(Line(.same, old[x - 1]))
        x -= 1
        y -= 1
      }
      guard count > 0 else { break }
      if isDown {
        lines.append(Line(.added, new[y - 1]))
        y -= 1
      } else {
        lines.append(Line(.removed, old[x - 1]))
        x -= 1
      }
    }
    return lines.reversed()
  }
}
