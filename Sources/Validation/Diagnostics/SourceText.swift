internal import Domain

/// The lines of a file, to say where in them a tool means: tools count bytes, UTF-16 units or code
/// points, from 0 or 1, and widen tabs; Hito counts code points from 1.
struct SourceText {
  /// What a tool's columns count.
  enum Unit {
    case codePoints
    case utf8
    case utf16
    /// Code points, where a tab reaches to the next multiple of the width, as in a terminal.
    case display(tabWidth: Int)
  }

  private let lines: [Substring.UnicodeScalarView]

  init(_ content: String) {
    lines = content.unicodeScalars.split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" }
    ).map { $0 }
  }

  var lineCount: Int { lines.count }

  /// The column from 1 in code points of the tool's column, counted from `base`. What lies beyond the
  /// end of the line, or in no line, is where the line ends.
  func column(_ column: Int, line: Int, unit: Unit, base: Int = 1) -> Int {
    let (column, line) = (SourceRegion.clamped(column), SourceRegion.clamped(line))
    guard lines.indices.contains(line - 1) else { return max(1, column - base + 1) }
    let wanted = max(0, column - base)
    var passed = 0
    var count = 0
    for scalar in lines[line - 1] {
      if passed >= wanted { break }
      switch unit {
      case .codePoints: passed += 1
      case .utf8: passed += UTF8.width(scalar)
      case .utf16: passed += UTF16.width(scalar)
      case .display(let tabWidth):
        passed += scalar == "\t" ? tabWidth - passed % tabWidth : 1
      }
      // In the middle of a character is at its beginning.
      if passed > wanted { break }
      count += 1
    }
    return count + 1
  }

  func region(
    line: Int, column: Int, endLine: Int = 0, endColumn: Int = 0, unit: Unit, base: Int = 1
  ) -> SourceRegion {
    let (line, endLine) = (max(1, SourceRegion.clamped(line)), SourceRegion.clamped(endLine))
    var region = SourceRegion(
      line: line, column: self.column(column, line: line, unit: unit, base: base))
    if endLine >= line, endColumn >= base {
      region.endLine = endLine
      region.endColumn = self.column(endColumn, line: endLine, unit: unit, base: base)
      let isEmpty =
        region.endLine == region.line && region.endColumn <= region.column
      if isEmpty { (region.endLine, region.endColumn) = (0, 0) }
    }
    return region
  }
}

extension UTF8 {
  fileprivate static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<0x80: 1
    case 0x80..<0x800: 2
    case 0x800..<0x10000: 3
    default: 4
    }
  }
}

/// The texts of a submission by path, split into lines when first asked for.
struct SourceTexts {
  private let texts: [String: SourceText]

  init(_ files: [SourceFile]) {
    texts = Dictionary(files.map { ($0.path, SourceText($0.content)) }) { first, _ in first }
  }

  subscript(path: String) -> SourceText? { texts[path] }

  /// A tool's name of a file, as the submission calls it; nil where it is none of its files.
  func path(_ name: String) -> String? {
    var name = name[...]
    for prefix in ["\(SandboxFolder.work)/", "./"] where name.hasPrefix(prefix) {
      name.removeFirst(prefix.count)
    }
    return texts[String(name)] == nil ? nil : String(name)
  }
}
