import Domain
import JSON
import SeededRandom
import Testing

@testable import Validation

@Suite struct ScoreTests {
  private func outcome(
    _ id: String, _ status: TestStatus, weight: Double = 1, isFlaky: Bool = false
  ) -> TestOutcome {
    TestOutcome(id: id, title: id, status: status, weight: weight, isFlaky: isFlaky)
  }

  @Test func `tests weigh 0.8 by their weights and lint 0.2`() {
    let tests = [outcome("a", .pass, weight: 3), outcome("b", .fail)]
    #expect(abs(Score.value(tests: tests, lint: [], policy: .standard) - 0.8) < 1e-9)
    let warning = Diagnostic(
      level: .warning, advice: .actionable, tool: "ruff", ruleID: "F401", message: "x")
    #expect(abs(Score.value(tests: tests, lint: [warning], policy: .standard) - 0.78) < 1e-9)
    let lenient = ScorePolicy(name: "custom@1", testShare: 1, ignoredRules: ["F401"])
    #expect(Score.value(tests: tests, lint: [warning], policy: lenient) == 0.75)
  }

  @Test func `a flaky test scores nothing, and lint never less than nothing`() {
    let many = Array(
      repeating: Diagnostic(level: .error, advice: .essential, tool: "t", message: "x"), count: 50)
    #expect(
      Score.value(tests: [outcome("a", .pass, isFlaky: true)], lint: many, policy: .standard) == 0)
  }
}

@Suite struct ValidationHashTests {
  private let files = [
    SourceFile(path: "a.py", content: "x"), SourceFile(path: "b.py", content: "y"),
  ]

  @Test func `the order of files does not count, and every other change does`() {
    let hash = ValidationHash.submission(
      Submission(language: "python", mainPath: "a.py", files: files))
    let turned = Submission(language: "python", mainPath: "a.py", files: files.reversed())
    #expect(ValidationHash.submission(turned) == hash)
    var others = [
      Submission(language: "python", mainPath: "b.py", files: files),
      Submission(language: "python3", mainPath: "a.py", files: files),
      Submission(language: "python", mainPath: "a.py", files: [files[0]]),
    ]
    // The same bytes, cut in another place.
    others.append(
      Submission(
        language: "python", mainPath: "a.py",
        files: [SourceFile(path: "a.pyx", content: ""), SourceFile(path: "b.py", content: "y")]))
    for other in others { #expect(ValidationHash.submission(other) != hash) }
  }

  @Test func `whatever a suite says changes its hash`() {
    let suite = TestSuite(
      language: "python", kind: .stdio, tests: [ExpectedTest(id: "a", input: "1", output: "2")])
    var hashes: Set<[UInt8]> = [ValidationHash.suite(suite)]
    let changes: [(inout TestSuite) -> Void] = [
      { $0.kind = .pytest }, { $0.tests[0].id = "b" }, { $0.tests[0].weight = 2 },
      { $0.tests[0].isHidden = true }, { $0.tests[0].input = "12" }, { $0.tests[0].output = "" },
      { $0.tests[0].arguments = [""] }, { $0.tests[0].points = 1 }, { $0.command = ["x"] },
      { $0.limits.cpuMilliseconds = 100 }, { $0.limits.memoryBytes = 100 },
      { $0.policy.testShare = 0.5 }, { $0.policy.passingScore = 0.5 },
      { $0.policy.ignoredRules = ["E1"] }, { $0.files = files },
      { $0.tests.append(ExpectedTest(id: "b")) }, { $0.completesTask = true },
    ]
    for change in changes {
      var other = suite
      change(&other)
      hashes.insert(ValidationHash.suite(other))
    }
    #expect(hashes.count == changes.count + 1)
  }
}

@Suite struct LineDiffTests {
  /// What the new text is made of, and what the old one was.
  private func sides(_ lines: [LineDiff.Line]) -> (old: [String], new: [String]) {
    (
      lines.filter { $0.change != .added }.map(\.text),
      lines.filter { $0.change != .removed }.map(\.text)
    )
  }

  @Test func `any two texts are told by their differences, shortest first`() {
    var random = SeededGenerator(state: 25)
    for _ in 0..<300 {
      func text() -> [String] {
        (0..<Int.random(in: 0...12, using: &random)).map { _ in
          String(Int.random(in: 0...3, using: &random))
        }
      }
      let (old, new) = (text(), text())
      let lines = LineDiff.lines(from: old.joined(separator: "\n"), to: new.joined(separator: "\n"))
      let sides = sides(lines)
      #expect(sides.old == old)
      #expect(sides.new == new)
      let common = lines.count { $0.change == .same }
      #expect(common == longestCommon(old, new), "\(old) \(new)")
    }
  }

  private func longestCommon(_ old: [String], _ new: [String]) -> Int {
    var row = [Int](repeating: 0, count: new.count + 1)
    for line in old {
      var corner = 0
      for (index, other) in new.enumerated() {
        let above = row[index + 1]
        row[index + 1] = line == other ? corner + 1 : max(above, row[index])
        corner = above
      }
    }
    return row[new.count]
  }

  @Test func `texts without a line in common are replaced within bounded work`() {
    let old = (0..<20_000).map { "a\($0)" }.joined(separator: "\n")
    let new = (0..<20_000).map { "b\($0)" }.joined(separator: "\n")
    let lines = LineDiff.lines(from: old, to: new)
    #expect(lines.count == 40_000)
    #expect(lines.prefix(20_000).allSatisfy { $0.change == .removed })
  }
}

@Suite struct ReportComparisonTests {
  @Test func `files, tests and diagnostics are compared`() {
    func report(_ status: TestStatus, _ found: [Diagnostic], _ score: Double) -> ValidationReport {
      ValidationReport(
        verdict: status == .pass ? .passed : .failed, score: score, reason: "", diagnostics: found,
        tests: [
          TestOutcome(id: "a", title: "a", status: .pass),
          TestOutcome(id: "b", title: "b", status: status),
        ])
    }
    let unused = Diagnostic(
      level: .warning, advice: .actionable, tool: "ruff", ruleID: "F401", message: "unused",
      path: "a.py",
      region: SourceRegion(line: 1, column: 1))
    var moved = unused
    moved.region = SourceRegion(line: 9, column: 1)
    let shadow = Diagnostic(
      level: .note, advice: .informative, tool: "ruff", ruleID: "E741", message: "l")
    let old = Submission(
      language: "python", mainPath: "a.py", files: [SourceFile(path: "a.py", content: "one\ntwo\n")]
    )
    let new = Submission(
      language: "python", mainPath: "a.py",
      files: [
        SourceFile(path: "a.py", content: "one\n2\n"), SourceFile(path: "b.py", content: "x\n"),
      ])
    let found = ReportComparison(
      from: (old, report(.fail, [unused, shadow], 0.4)), to: (new, report(.pass, [moved], 1)))
    #expect(found.files.map(\.path) == ["a.py", "b.py"])
    #expect(
      found.files[0].lines == [
        LineDiff.Line(.same, "one"), LineDiff.Line(.removed, "two"), LineDiff.Line(.added, "2"),
      ])
    #expect(found.tests.map(\.id) == ["b"])
    #expect(found.newDiagnostics.isEmpty)
    #expect(found.goneDiagnostics == [shadow])
  }
}

@Suite struct SarifTests {
  private let files = [SourceFile(path: "src/ñ a.py", content: "x = '😀' 1\n")]

  @Test func `what is exported is read back as it was`() throws {
    let diagnostics = [
      Diagnostic(
        level: .error, advice: .essential, tool: "ruff", ruleID: "F821",
        ruleURL: "https://example.org/F821",
        message: "undefined", path: "src/ñ a.py",
        region: SourceRegion(line: 1, column: 5, endLine: 1, endColumn: 8),
        fix: [
          SourceEdit(
            region: SourceRegion(line: 1, column: 5, endLine: 1, endColumn: 6), replacement: "y")
        ],
        isFixSafe: true),
      Diagnostic(level: .note, advice: .informative, tool: "gcc", message: "note"),
    ]
    let log = Sarif.log(diagnostics, toolVersions: ["ruff": "1.0"])
    let text = log.text
    let read = try Sarif.diagnostics(#require(JSONValue(parsing: text)), files: files)
    #expect(read == diagnostics)
    #expect(text.contains("src/%C3%B1%20a.py"))
  }

  @Test func `others count in UTF-16, and inherit levels from rules`() throws {
    let text = """
      {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "eslint", "rules": [
        {"id": "no-x", "helpUri": "javascript:alert(1)", "defaultConfiguration": {"level": "error"},
         "messageStrings": {"m": {"text": "not {0}"}}}]}},
        "results": [
          {"ruleId": "no-x", "message": {"id": "m", "arguments": ["so"]}, "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": "./src/%C3%B1%20a.py"}, "region": {"startLine": 1, "startColumn": 9}}}]},
          {"level": "none", "message": {"text": "x"}},
          {"message": {"text": "suppressed"}, "suppressions": [{"kind": "inSource"}]},
          {"message": {"text": "elsewhere"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "../../etc/passwd"}}}]}
        ]}]}
      """
    let read = try Sarif.diagnostics(#require(JSONValue(parsing: text)), files: files)
    #expect(read.count == 1)
    #expect(read[0].level == .error)
    #expect(read[0].message == "not so")
    #expect(read[0].ruleURL == "")
    #expect(read[0].region == SourceRegion(line: 1, column: 8))
  }

  @Test func `what is no log, or too large, is refused`() throws {
    #expect(throws: Sarif.ReadingError.notALog) { try Sarif.diagnostics(.array([])) }
    #expect(throws: Sarif.ReadingError.notALog) {
      try Sarif.diagnostics(.object([("version", .string("2.0.0")), ("runs", .array([]))]))
    }
    let results = JSONValue.array(Array(repeating: .object([]), count: Sarif.resultCountMax + 1))
    let log = JSONValue.object([
      ("version", .string("2.1.0")), ("runs", .array([.object([("results", results)])])),
    ])
    #expect(throws: Sarif.ReadingError.tooMany) { try Sarif.diagnostics(log) }
  }
}

@Suite struct DiagnosticsTests {
  private func read(
    _ format: DiagnosticFormat, output: String = "", errors: String = "", _ content: String
  ) -> [Diagnostic] {
    Diagnostics.read(
      format, tool: "tool", ToolOutput(output: output, errors: errors),
      files: [SourceFile(path: "a.x", content: content)])
  }

  @Test func `columns of every kind become code points from 1`() {
    let text = SourceText("\tñ😀x\n")
    #expect(text.column(8, line: 1, unit: .utf8) == 4)
    #expect(text.column(4, line: 1, unit: .utf16, base: 0) == 4)
    #expect(text.column(4, line: 1, unit: .codePoints) == 4)
    #expect(text.column(11, line: 1, unit: .display(tabWidth: 8)) == 4)
    // In the middle of a character is at its beginning, and beyond the line at its end.
    #expect(text.column(5, line: 1, unit: .utf8) == 3)
    #expect(text.column(999, line: 1, unit: .utf8) == 5)
    #expect(text.column(7, line: 999, unit: .utf8) == 7)
  }

  @Test func `compilers' lines are read and others left out`() {
    let found = read(
      .lines,
      errors:
        "a.x:1:3: error: expected ':' here\nnote: nothing\nother.x:1:1: error: no\na.x:1:1: warning: w\n",
      "ñb\n")
    #expect(found.map(\.message) == ["expected ':' here", "w"])
    #expect(found[0].region == SourceRegion(line: 1, column: 2))
    #expect(found[1].level == .warning)
  }

  @Test func `javac's caret and tsc's brackets name columns`() {
    let java = read(
      .javac, errors: "a.x:1: error: ';' expected\nint ñ = 1\n         ^\n1 error\n", "int ñ = 1\n")
    #expect(java.first?.region == SourceRegion(line: 1, column: 10))
    let script = read(.typescript, output: "a.x(1,3): error TS1005: ';' expected.\n", "😀x y\n")
    #expect(script.first?.ruleID == "TS1005")
    #expect(script.first?.region == SourceRegion(line: 1, column: 2))
  }

  @Test func `whatever a tool writes, reading it ends and is bounded`() {
    var random = SeededGenerator(state: 8)
    let pieces = [
      "a.x", ":", "1", "[", "]", "{", "}", "\"", ",", "\n", "error", "(", ")", "^", " ", "😀",
      "null", "-9223372036854775808",
    ]
    for _ in 0..<2000 {
      let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }.joined()
      for format in DiagnosticFormat.allCases {
        #expect(read(format, output: text, errors: text, "ab\n").count <= Diagnostics.countMax)
      }
    }
    let flood = String(repeating: "a.x:1:1: error: e\n", count: 50_000)
    #expect(read(.lines, errors: flood, "ab\n").count == Diagnostics.countMax)
  }

  /// Code chooses them: by the names of its files, or by what it has an assembler print.
  @Test func `numbers that no file has end nothing`() {
    for number in [Int.min, Int.max, -1, 0, 1 << 40] {
      for text in [
        "a.x:\(number):\(number): error: e\n", "a.x: line \(number): e\n",
        "a.x:\(number): error: e\n^\n", "a.x(\(number),\(number)): error TS1: e\n",
        """
        [{"kind": "error", "message": "e", "locations": [{"caret": {"file": "a.x", "line": \(number),
        "byte-column": \(number)}, "finish": {"line": \(number), "byte-column": \(number)}}]}]
        """,
      ] {
        for format in DiagnosticFormat.allCases {
          for found in read(format, output: text, errors: text, "ab\n") {
            let report = ValidationReport(
              verdict: .failed, score: 0, reason: "x", diagnostics: [found])
            let files = [SourceFile(path: "a.x", content: "ab\n")]
            #expect(!FeedbackText.make(report, files: files, in: .english).isEmpty)
            #expect(Sarif.log([found]).text.contains("a.x"))
          }
        }
      }
    }
  }
}

@Suite struct WorkFilesTests {
  /// A pattern that tried every way to share blanks out would take hours here.
  @Test func `many blanks are looked at once`() {
    for content in [
      "/*import" + String(repeating: " ", count: 250_000) + "*/",
      String(repeating: "\n", count: 250_000), String(repeating: " ", count: 250_000),
    ] {
      let files = [SourceFile(path: "a.js", content: content)]
      #expect(NodeFiles.complete(files) == files)
      #expect(NodeFiles.support(for: files).first?.content == #"{"type":"commonjs"}"#)
    }
    let message = String(repeating: "expected , got ", count: 20_000)
    #expect(Expectation(message) != nil)
  }

  @Test func `what is hidden is so at any depth`() {
    let hidden = ["hidden/a.c", "lib/hidden/b.c", "a/hidden/c/d.h"]
    for path in hidden { #expect(SourceFile(path: path, content: "").isHiddenFromCode) }
    #expect(!SourceFile(path: "src/hidden", content: "").isHiddenFromCode)
    // A compiler would read its arguments out of it.
    #expect(SourceFiles.problem(ofPath: "@o.c") != nil)
    #expect(SourceFiles.problem(ofPath: "node_modules/@a/b.js") == nil)
  }
}

@Suite struct FeedbackTextTests {
  private let files = [SourceFile(path: "a.py", content: "def f()\n    pass\n")]
  private let syntax = ValidationReport(
    verdict: .failed, score: 0, reason: "the code does not parse",
    stages: [StageReport(stage: .syntax, status: .issues)],
    diagnostics: [
      Diagnostic(
        level: .error, advice: .essential, tool: "python", ruleID: "SyntaxError",
        message: "expected ':'",
        path: "a.py", region: SourceRegion(line: 1, column: 8))
    ])

  @Test func `a broken line is shown with its place and a hint, in both languages`() {
    let spanish = FeedbackText.make(syntax, files: files, in: FeedbackText.Language(tag: "es-MX"))
    #expect(
      spanish == """
        Tu código todavía no se puede leer: hay un error de sintaxis.

        Hay que corregir:
        - a.py, línea 1, columna 8: expected ':' (SyntaxError)
          Falta ':' al final de la línea.
              def f()
                     ^

        Siguiente paso: corrige el primer error; los demás a menudo desaparecen con él.
        """)
    let english = FeedbackText.make(syntax, files: files, in: .english)
    #expect(english.contains("a.py, line 1, column 8"))
  }

  @Test func `failed tests say what was expected, and hidden ones nothing`() {
    let report = ValidationReport(
      verdict: .failed, score: 0.3, reason: "",
      tests: [
        TestOutcome(id: "t.a", title: "suma", status: .fail, message: "AssertionError: 4 != 5"),
        TestOutcome(id: "t.b", title: "secret", status: .fail, message: "secret", isHidden: true),
        TestOutcome(
          id: "t.c", title: "nombre", status: .error,
          message: "NameError: name 'x' is not defined\n  a.py:2, in f"),
      ])
    let text = FeedbackText.make(report, files: files, in: .spanish)
    #expect(text.contains("- suma: se esperaba 5 y se obtuvo 4."))
    #expect(text.contains("a.py:2, in f"))
    #expect(text.contains("1 prueba oculta"))
    #expect(!text.contains("secret"))
  }

  @Test(arguments: [
    (
      "nothing here can run ruby; its structure alone decides nothing",
      "aquí no hay con qué ejecutar ruby, y su estructura sola no basta"
    ),
    (
      "the tests are for c, and the code is in python",
      "las pruebas son para c y el código está en python"
    ),
    ("gcc and g++ is not installed here", "aquí no está instalado: gcc and g++"),
    (
      "the run ended before this test was done (cpu_limit)",
      "la ejecución terminó antes de acabar esta prueba (cpu_limit)"
    ),
    ("nothing here can judge ", "aquí no hay con qué comprobar "),
    ("something else", "something else"),
    ("the program used more than 5 ms", "the program used more than 5 ms"),
  ])
  func `what the judge says is told in Spanish`(_ pair: (String, String)) {
    #expect(SpanishReasons.of(pair.0) == pair.1)
    let report = ValidationReport(verdict: .inconclusive, score: nil, reason: pair.0)
    #expect(FeedbackText.make(report, files: [], in: .spanish).contains(pair.1))
    #expect(FeedbackText.make(report, files: [], in: .english).contains(pair.0))
  }

  @Test func `the text is bounded whatever is in the report`() {
    let long = String(repeating: "x", count: 60_000)
    let report = ValidationReport(
      verdict: .inconclusive, score: nil, reason: long,
      diagnostics: Array(
        repeating: Diagnostic(
          level: .error, advice: .essential, tool: "t", message: long, path: "a.py"), count: 200),
      tests: (0..<500).map { TestOutcome(id: "\($0)", title: long, status: .fail, message: long) })
    for language in FeedbackText.Language.allCases {
      let text = FeedbackText.make(report, files: files, in: language)
      #expect(text.count <= FeedbackText.characterCountMax)
    }
  }
}

@Suite struct NodeFilesTests {
  @Test func `imports without an extension get the one that is there`() {
    let files = [
      SourceFile(
        path: "src/a.js",
        content:
          "import { b } from './b';\nimport('../c');\nimport x from 'd';\nexport * from \"./b\";\n"),
      SourceFile(path: "src/b.js", content: ""), SourceFile(path: "c/index.js", content: ""),
    ]
    let complete = NodeFiles.complete(files)
    #expect(
      complete[0].content
        == "import { b } from './b.js';\nimport('../c/index.js');\nimport x from 'd';\nexport * from \"./b.js\";\n"
    )
  }
}
