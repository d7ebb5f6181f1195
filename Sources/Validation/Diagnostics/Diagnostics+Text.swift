internal import Domain

extension Diagnostic {
  /// The same, no more serious than `level`.
  func atMost(_ level: DiagnosticLevel) -> Diagnostic {
    guard level != .error, self.level == .error else { return self }
    var milder = self
    milder.level = level
    milder.advice = Diagnostics.advice(level)
    return milder
  }
}

// Tools that write lines for people.
extension Diagnostics {
  /// `file:line:column: level: message` or, without a level, `file:line:column: message`. clang, swiftc and
  /// the Go tools count bytes from 1.
  static func lines(_ text: String, tool: String, _ texts: SourceTexts) -> [Diagnostic] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      // `vet: ` stands before what go vet could not type-check.
      let line = line.hasPrefix("vet: ") ? line.dropFirst(5) : line
      let parts = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
      guard parts.count == 4, let path = texts.path(String(parts[0])), let row = Int(parts[1]),
        let column = Int(parts[2])
      else { return nil }
      let rest = parts[3].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let word = String(rest[0]).trimmedOfBlanks
      let isLevel = rest.count == 2 && ["error", "fatal error", "warning", "note"].contains(word)
      let level = isLevel ? level(word) : .error
      return Diagnostic(
        level: level, advice: advice(level), tool: tool,
        message: String(isLevel ? rest[1] : parts[3]),
        path: path, region: texts[path]?.region(line: row, column: column, unit: .utf8))
    }
  }

  /// `file: line 3: message`.
  static func bash(_ text: String, _ texts: SourceTexts) -> [Diagnostic] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, let path = texts.path(String(parts[0])),
        let row = Int(String(parts[1]).trimmedOfBlanks.split(separator: " ").last ?? ""),
        // The line itself is repeated after the message.
        !parts[2].hasPrefix(" `")
      else { return nil }
      return Diagnostic(
        level: .error, advice: .essential, tool: "bash", ruleID: "syntax",
        message: String(parts[2]),
        path: path, region: SourceRegion(line: max(1, row), column: 1))
    }
  }

  /// `File.java:3: error: message`, the source line, and a caret under its column.
  static func javac(_ text: String, _ texts: SourceTexts) -> [Diagnostic] {
    var found: [Diagnostic] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
      if parts.count == 4, let path = texts.path(String(parts[0])), let row = Int(parts[1]) {
        let level = level(String(parts[2]).trimmedOfBlanks)
        let (rule, message) = ruleOfJavac(String(parts[3]))
        found.append(
          Diagnostic(
            level: level, advice: advice(level), tool: "javac", ruleID: rule, message: message,
            path: path, region: SourceRegion(line: row, column: 1)))
      } else if let last = found.last, let region = last.region, region.column == 1,
        line.allSatisfy({ $0 == " " || $0 == "\t" || $0 == "^" }),
        let caret = line.firstIndex(of: "^")
      {
        // javac puts the caret under the line as it stands in the file: one blank a UTF-16 unit.
        let column = line.utf16.distance(from: line.startIndex, to: caret) + 1
        found[found.count - 1].region = texts[last.path]?.region(
          line: region.line, column: column, unit: .utf16)
      }
    }
    return found
  }

  /// `[rawtypes] found raw type: List`.
  private static func ruleOfJavac(_ text: String) -> (rule: String, message: String) {
    guard let match = text.wholeMatch(of: /\s*\[(?<rule>[a-z-]{1,40})\]\s(?<message>.*)/) else {
      return ("", text)
    }
    return (String(match.output.rule), String(match.output.message))
  }

  /// `file(line,column): error TS1005: message`, in UTF-16 units from 1.
  static func typescript(_ text: String, _ texts: SourceTexts) -> [Diagnostic] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      guard let open = line.firstIndex(of: "("), let close = line[open...].firstIndex(of: ")"),
        let path = texts.path(String(line[..<open]))
      else { return nil }
      let place = line[line.index(after: open)..<close].split(separator: ",").compactMap { Int($0) }
      let parts = line[close...].split(
        separator: ":", maxSplits: 2, omittingEmptySubsequences: true)
      guard place.count == 2, parts.count == 3 else { return nil }
      let words = parts[1].split(separator: " ")
      let level = level(words.first ?? "")
      return Diagnostic(
        level: level, advice: advice(level), tool: "tsc", ruleID: words.last.map(String.init) ?? "",
        message: String(parts[2]), path: path,
        region: texts[path]?.region(line: place[0], column: place[1], unit: .utf16))
    }
  }
}
