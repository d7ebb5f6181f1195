/// How serious a diagnostic is: SARIF 2.1.0's levels.
package enum DiagnosticLevel: String, Sendable, Hashable, CaseIterable {
  case note
  case warning
  case error
}

/// How much a diagnostic matters to a learner: the comment types of Exercism's analysers.
package enum Advice: String, Sendable, Hashable, CaseIterable {
  /// Must be mended before the code can do what was asked.
  case essential
  /// Worth mending.
  case actionable
  /// Good to know.
  case informative
}

/// A piece of a file: lines and columns from 1, columns in Unicode code points, the end not part of it.
package struct SourceRegion: Sendable, Hashable {
  package var line: Int
  package var column: Int
  /// 0 where there is no end.
  package var endLine: Int
  /// 0 where there is no end.
  package var endColumn: Int

  /// No file has more lines, nor a line more columns.
  package static let numberMax: Int64 = 1 << 30

  /// Numbers that no file has become the nearest that one could have.
  package init(line: Int, column: Int, endLine: Int = 0, endColumn: Int = 0) {
    self.line = Self.clamped(line)
    self.column = Self.clamped(column)
    self.endLine = Self.clamped(endLine)
    self.endColumn = Self.clamped(endColumn)
  }

  /// Programs that write what tools print choose these numbers: arithmetic with them must not overflow.
  package static func clamped(_ number: Int) -> Int { min(max(number, 0), Int(numberMax)) }
}

/// One replacement of a fix.
package struct SourceEdit: Sendable, Hashable {
  package var region: SourceRegion
  package var replacement: String

  package init(region: SourceRegion, replacement: String) {
    self.region = region
    self.replacement = replacement
  }
}

/// What a tool says of a place in the code.
package struct Diagnostic: Sendable, Hashable {
  package var level: DiagnosticLevel
  package var advice: Advice
  /// For example `ruff`.
  package var tool: String
  /// The tool's name of the rule; empty where it names none.
  package var ruleID: String
  /// Where the rule is explained; empty where nowhere.
  package var ruleURL: String
  package var message: String
  /// Of the submission; empty where it concerns no file.
  package var path: String
  /// Nil where it concerns no place.
  package var region: SourceRegion?
  /// How the tool would mend it; none where it would not.
  package var fix: [SourceEdit]
  /// Whether the fix keeps what the code does, by the tool's word.
  package var isFixSafe: Bool

  package init(
    level: DiagnosticLevel, advice: Advice, tool: String, ruleID: String = "",
    ruleURL: String = "", message: String, path: String = "", region: SourceRegion? = nil,
    fix: [SourceEdit] = [], isFixSafe: Bool = false
  ) {
    self.level = level
    self.advice = advice
    self.tool = tool
    self.ruleID = ruleID
    self.ruleURL = ruleURL
    self.message = message
    self.path = path
    self.region = region
    self.fix = fix
    self.isFixSafe = isFixSafe
  }
}
