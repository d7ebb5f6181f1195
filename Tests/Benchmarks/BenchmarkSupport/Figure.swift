import Foundation

/// One result of a benchmark, and what it is compared with.
package struct Figure: Sendable {
  package var name: String
  package var ours: Double
  package var unit: String
  /// What the other side is, and what it reached; nil where there is nothing to compare with.
  package var peer: String?
  package var theirs: Double?
  package var isLessBetter: Bool

  package init(
    _ name: String, _ ours: Double, unit: String, peer: String? = nil, theirs: Double? = nil,
    isLessBetter: Bool = false
  ) {
    self.name = name
    self.ours = ours
    self.unit = unit
    self.peer = peer
    self.theirs = theirs
    self.isLessBetter = isLessBetter
  }

  /// Above 1 always means that ours is better.
  package var ratio: Double? {
    guard let theirs, ours > 0, theirs > 0 else { return nil }
    return isLessBetter ? theirs / ours : ours / theirs
  }

  /// The line that programs read: `FIGURE {…}`.
  var line: String {
    let fields = [
      ("name", quoted(name)), ("ours", number(ours)), ("peer", peer.map(quoted) ?? "null"),
      ("theirs", theirs.map(number) ?? "null"), ("ratio", ratio.map(number) ?? "null"),
      ("unit", quoted(unit)),
    ]
    return "FIGURE {" + fields.map { "\(quoted($0.0)): \($0.1)" }.joined(separator: ", ") + "}"
  }

  private func quoted(_ text: String) -> String {
    let escaped = text.replacingOccurrences(of: "\\", with: "\\\\")
      .replacingOccurrences(of: "\"", with: "\\\"")
    return "\"\(escaped)\""
  }
}

/// A number with three significant digits, and never fewer than its whole part has.
package func number(_ value: Double) -> String {
  guard value.isFinite else { return "null" }
  let digits = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : 2
  return String(format: value.magnitude < 1 ? "%.3f" : "%.\(digits)f", value)
}

/// What a benchmark promises of one of its figures.
package struct Promise: Sendable {
  package var text: String
  package var holds: Bool
  /// Absolute times depend on the machine: missing one is said, and is not a failure.
  package var isBinding: Bool

  package init(_ text: String, holds: Bool, isBinding: Bool) {
    self.text = text
    self.holds = holds
    self.isBinding = isBinding
  }
}

/// The end of a benchmark: a table for people, lines for programs, and the promises.
package struct Report: Sendable {
  package var figures: [Figure] = []
  package var promises: [Promise] = []

  package init() {}

  /// Prints everything. Throws where a binding promise does not hold.
  package func finish() throws {
    say("")
    say("| figure | ours | unit | peer | theirs | ratio |")
    say("|---|---:|---|---|---:|---:|")
    for figure in figures {
      let cells = [
        "`\(figure.name)`", number(figure.ours), figure.unit, figure.peer ?? "",
        figure.theirs.map(number) ?? "", figure.ratio.map(number) ?? "",
      ]
      say("| " + cells.joined(separator: " | ") + " |")
    }
    say("")
    for promise in promises { say("\(promise.holds ? "holds" : "MISSED"): \(promise.text)") }
    for figure in figures { say(figure.line) }
    let broken = promises.filter { $0.isBinding && !$0.holds }
    if !broken.isEmpty {
      throw BenchmarkError("missed: " + broken.map(\.text).joined(separator: "; "))
    }
  }
}

/// Why a benchmark could not be run, or what it found wrong.
package struct BenchmarkError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// A line for whoever watches; at once, also into a pipe.
package func say(_ text: String) {
  FileHandle.standardOutput.write(Data((text + "\n").utf8))
}
