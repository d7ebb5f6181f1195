/// Lengths of time as people write them.
enum DurationText {
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ("w", 604_800_000),
  ]

  /// `500ms`, `30s`, `5m`, `2h`, `90d`, `1w`, or several of them such as `1h30m`; nil for anything
  /// else, zero and what is longer than a century.
  static func parse(_ text: String) -> Duration? {
    var rest = text[...]
    var milliseconds: Int64 = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      let name = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(name.count)
      guard digits.count <= 12, let count = Int64(digits),
        let unit = units.first(where: { $0.name == name })
      else { return nil }
      milliseconds += count * unit.milliseconds
      guard milliseconds <= 100 * 366 * 86_400_000 else { return nil }
    }
    return milliseconds > 0 ? .milliseconds(milliseconds) : nil
  }

  /// As it is parsed: `90d`, `1h30m`.
  static func typed(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    var rest = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    var text = ""
    for unit in units.reversed() where unit.name != "w" && rest >= unit.milliseconds {
      text += "\(rest / unit.milliseconds)\(unit.name)"
      rest %= unit.milliseconds
    }
    return text.isEmpty ? "0s" : text
  }

  /// In the largest unit that says enough: `3 d`, `2 h`, `15 min`, `1.5 s`, `20 ms`.
  static func text(_ duration: Duration) -> String {
    let seconds = duration / .seconds(1)
    switch abs(seconds) {
    case 172_800...: return "\(Int(seconds / 86_400)) d"
    case 7200...: return "\(Int(seconds / 3600)) h"
    case 120...: return "\(Int(seconds / 60)) min"
    case 1...: return "\((seconds * 10).rounded() / 10) s"
    default: return "\(Int((seconds * 1000).rounded())) ms"
    }
  }
}
