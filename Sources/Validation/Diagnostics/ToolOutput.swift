package import Domain
internal import JSON

/// What a tool wrote, and how it ended, as the runner inside the sandbox reports it.
package struct ToolOutput: Sendable, Hashable {
  package var exitCode: Int
  /// 0 where it ended by itself.
  package var signal: Int
  package var isTimedOut: Bool
  /// Its time was over, and it waited for nothing but a processor.
  package var isStarved: Bool
  package var isOutOfTime: Bool
  package var isCut: Bool
  package var cpuMicroseconds: Int64
  package var wallMicroseconds: Int64
  package var output: String
  package var errors: String

  init(_ line: JSONValue) {
    exitCode = Int(line["exit"]?.integerValue ?? -1)
    signal = Int(line["signal"]?.integerValue ?? 0)
    isTimedOut = line["timed_out"]?.boolValue ?? false
    isStarved = line["starved"]?.boolValue ?? false
    isOutOfTime = line["cpu_out"]?.boolValue ?? false
    isCut = line["cut"]?.boolValue ?? false
    cpuMicroseconds = line["cpu_us"]?.integerValue ?? 0
    wallMicroseconds = line["wall_us"]?.integerValue ?? 0
    output = line["out"]?.stringValue ?? ""
    errors = line["err"]?.stringValue ?? ""
  }

  /// For tests of parsers.
  package init(output: String = "", errors: String = "", exitCode: Int = 0) {
    self.exitCode = exitCode
    signal = 0
    isTimedOut = false
    isStarved = false
    isOutOfTime = false
    isCut = false
    cpuMicroseconds = 0
    wallMicroseconds = 0
    self.output = output
    self.errors = errors
  }
}

/// Which tool's diagnostics are read.
package enum DiagnosticFormat: Sendable, Hashable, CaseIterable {
  /// steps.py's own lists: CPython and tree-sitter.
  case places
  case ruff
  case node
  case gcc
  case shellcheck
  case bash
  case rustc
  /// `file:line:column: level: message`: clang, swiftc, gofmt, go vet.
  case lines
  /// The same, where nothing is an error: what a linter finds.
  case findings
  case javac
  case typescript
}

/// Reads diagnostics of tools. Whatever a tool wrote, at most `countMax` come of it, and what cannot be
/// read is left out.
package enum Diagnostics {
  package static let countMax = 1000
  static let messageMax = 2000

  /// - Parameter files: of the submission; what a tool says of other files is left out.
  package static func read(
    _ format: DiagnosticFormat, tool: String, _ output: ToolOutput, files: [SourceFile]
  ) -> [Diagnostic] {
    let texts = SourceTexts(files)
    let found: [Diagnostic] =
      switch format {
      case .places: places(output.output, tool: tool, texts)
      case .ruff: ruff(output.output, texts)
      case .node: node(output.output, texts)
      case .gcc: gcc(output.errors, tool: tool, texts)
      case .shellcheck: shellcheck(output.output, texts)
      case .bash: bash(output.errors, texts)
      case .rustc: rustc(output.errors, texts)
      case .lines: lines(output.output + "\n" + output.errors, tool: tool, texts)
      case .findings:
        lines(output.output + "\n" + output.errors, tool: tool, texts).map { $0.atMost(.warning) }
      case .javac: javac(output.errors + "\n" + output.output, texts)
      case .typescript: typescript(output.output, texts)
      }
    return found.prefix(countMax).map { diagnostic in
      var diagnostic = diagnostic
      diagnostic.message = shortened(diagnostic.message)
      return diagnostic
    }
  }

  /// Control characters could move the cursor of whoever reads it in a terminal.
  private static func shortened(_ message: String) -> String {
    let text = String(message.trimmedOfBlanks.unicodeScalars.prefix(messageMax))
    return String(
      String.UnicodeScalarView(
        text.unicodeScalars.map {
          $0.properties.generalCategory == .control && $0 != "\n" ? " " : $0
        }
      ))
  }

  /// What matters to a learner by how serious it is.
  static func advice(_ level: DiagnosticLevel) -> Advice {
    switch level {
    case .error: .essential
    case .warning: .actionable
    case .note: .informative
    }
  }

  static func level(_ word: some StringProtocol) -> DiagnosticLevel {
    switch word.lowercased() {
    case "error", "fatal error", "fatal", "failure-note": .error
    case "warning": .warning
    default: .note
    }
  }
}

extension String {
  var trimmedOfBlanks: String {
    var view = self[...]
    while let last = view.last, last.isWhitespace { view.removeLast() }
    while let first = view.first, first.isWhitespace { view.removeFirst() }
    return String(view)
  }
}

extension JSONValue {
  /// Of a tool, which learners' code can make print anything: no number is so large that arithmetic with it
  /// ends the server.
  func int(_ name: String) -> Int? {
    self[name]?.integerValue.map {
      Int(min(max($0, -SourceRegion.numberMax), SourceRegion.numberMax))
    }
  }
  func string(_ name: String) -> String? { self[name]?.stringValue }
}
