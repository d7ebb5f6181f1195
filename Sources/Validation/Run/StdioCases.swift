internal import Domain
internal import JSON

/// Programs that read and write: what they wrote is compared here, where they cannot reach.
enum StdioCases {
  private static let messageMax = 2000

  /// What became of a case, by a line of cases.py.
  static func outcome(
    _ line: JSONValue, _ test: ExpectedTest, limits: JudgeLimits
  ) -> (TestOutcome, RunOutcome) {
    let output = ToolOutput(line)
    let status = RunStatus(output, cpuMilliseconds: limits.cpuMilliseconds)
    let bytes = Base64.decoded(line.string("out") ?? "")
    let text = String(decoding: bytes, as: UTF8.self)
    var outcome = TestOutcome(
      id: test.id, title: test.title, status: .pass, output: String(text.prefix(500)),
      durationMicroseconds: output.wallMicroseconds)
    if let reason = status.reason(limits) {
      outcome.status = .error
      outcome.message = reason
    } else if output.exitCode != 0 {
      outcome.status = .error
      outcome.message = "exit code \(output.exitCode)\n" + String(output.errors.suffix(messageMax))
    } else if let difference = difference(
      expected: normalised(test.output), got: normalised(text))
    {
      outcome.status = .fail
      outcome.message = difference
    }
    let run = RunOutcome(
      status: status, code: Int32(output.signal != 0 ? output.signal : max(0, output.exitCode)),
      cpuMicroseconds: output.cpuMicroseconds, wallMicroseconds: output.wallMicroseconds)
    return (outcome, run)
  }

  /// Lines without the blanks at their ends, and without empty lines at the end.
  static func normalised(_ text: String) -> [Substring] {
    var lines = text.split(omittingEmptySubsequences: false) { ["\n", "\r", "\r\n"].contains($0) }
      .map {
        line in
        var line = line
        while let last = line.last, last == " " || last == "\t" { line.removeLast() }
        return line
      }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// What is said of the first line that is another; nil where none is. Code points count, not what they look like.
  static func difference(expected: [Substring], got: [Substring]) -> String? {
    let different = zip(expected, got).enumerated().first {
      !$0.element.0.utf8.elementsEqual($0.element.1.utf8)
    }
    guard different != nil || expected.count != got.count else { return nil }
    let index = different?.offset ?? min(expected.count, got.count)
    func line(_ lines: [Substring]) -> String {
      lines.indices.contains(index) ? "\"\(lines[index].prefix(500))\"" : "the end of the output"
    }
    let looksEqual = different.map { $0.element.0 == $0.element.1 } ?? false
    return "line \(index + 1): expected \(line(expected)), got \(line(got))"
      + (looksEqual ? ", which looks the same and is made of other code points" : "")
  }
}

/// RFC 4648 with padding; what is no base64 is left out.
enum Base64 {
  static func decoded(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count * 3 / 4)
    var bits: UInt32 = 0
    var count = 0
    for character in text.utf8 {
      guard let value = value(character) else { continue }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes
  }

  private static func value(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
