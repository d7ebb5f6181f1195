/// Finds what a person may have meant.
package enum NearNames {
  private static let lengthMax = 80

  /// At most three of `names` that differ little from `name`, the nearest first.
  package static func suggestions(for name: String, among names: [String]) -> [String] {
    let wanted = Array(name.lowercased().utf8.prefix(lengthMax))
    let bound = max(2, wanted.count / 3)
    var near: [(distance: Int, name: String)] = []
    for candidate in names {
      let other = Array(candidate.lowercased().utf8.prefix(lengthMax))
      guard abs(other.count - wanted.count) <= bound else { continue }
      let distance = distance(wanted, other)
      if distance <= bound { near.append((distance, candidate)) }
    }
    near.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
    let best = near.first?.distance ?? 0
    return near.prefix(3).filter { $0.distance <= best + 1 }.map(\.name)
  }

  /// `; did you mean a, b or c?`, or nothing.
  static func hint(for name: String, among names: [String]) -> String {
    let near = suggestions(for: name, among: names)
    guard let last = near.last else { return "" }
    let list =
      near.count == 1 ? last : near.dropLast().joined(separator: ", ") + " or " + last
    return "; did you mean \(list)?"
  }

  /// Levenshtein's distance in bytes.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var previous = Array(0...right.count)
    for (row, byte) in left.enumerated() {
      var current = [row + 1]
      for (column, other) in right.enumerated() {
        let replaced = previous[column] + (byte == other ? 0 : 1)
        current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
      }
      previous = current
    }
    return previous[right.count]
  }
}
