import ArgumentParser
import Domain
import Foundation
import Logging
import Sandbox
import Validation

/// `make exercism TRACK=…`: judges every practice exercise of a checkout of a public Exercism track. The
/// example solution must pass its own tests, and the untouched stub must fail them.
@main
struct ExercismCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exercism",
    abstract:
      "Judges the practice exercises of a checkout of Exercism's Python or JavaScript track.")

  @Argument(help: "The folder of the checkout.")
  var track: String

  @Option(help: "Only exercises whose name begins so.")
  var only = ""

  /// Why exercises are an exception: theirs to be, not ours to mend.
  private static let known = [
    "ledger": "its stub is right, and is to be made better",
    "markdown": "its stub is right, and is to be made better",
    "grep": "its tests are CommonJS with Jest's package, and start programs by themselves",
    "parallel-letter-frequency":
      "its example starts node's worker threads, which tests may not",
  ]

  func run() async throws {
    let folder = URL(filePath: track).appending(path: "exercises/practice")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasPrefix(only) }.sorted()
    let judge = CodeJudge(
      sandbox: BubblewrapSandbox(), toolchain: .found(), logger: Logger(label: "exercism"))
    var count = (passed: 0, failed: 0, tests: 0)
    var exceptions: [String] = []
    var known: [String] = []
    try await withThrowingTaskGroup(of: Finding.self) { group in
      var rest = names[...]
      func next() {
        guard let name = rest.popFirst() else { return }
        group.addTask {
          do {
            return try await Exercise(folder: folder.appending(path: name)).judged(by: judge)
          } catch {
            return Finding(name: name, problems: ["could not be judged: \(error)"])
          }
        }
      }
      for _ in 0..<2 { next() }
      while let finding = try await group.next() {
        next()
        count.passed += finding.hasPassed ? 1 : 0
        count.failed += finding.hasFailed ? 1 : 0
        count.tests += finding.testCount
        for problem in finding.problems {
          let reason = Self.known[finding.name]
          if let reason {
            known.append("\(finding.name): \(reason)")
          } else {
            exceptions.append(finding.name)
          }
          print("\(finding.name): \(problem)" + (reason.map { " [\($0)]" } ?? ""))
        }
      }
    }
    print("\(names.count) exercises, \(count.tests) tests")
    print("\(count.passed) example solutions passed, \(count.failed) stubs failed")
    print("\(known.count) exceptions with a known reason, \(exceptions.count) others")
    guard exceptions.isEmpty else { throw ExitCode(1) }
  }
}

/// What became of one exercise.
struct Finding: Sendable {
  var name: String
  var testCount = 0
  var hasPassed = false
  var hasFailed = false
  var problems: [String] = []
}

/// One exercise of a track.
struct Exercise {
  private struct Meta: Decodable {
    struct Files: Decodable {
      var solution: [String]
      var test: [String]
      var example: [String]
      var editor: [String]?
    }
    var files: Files
  }

  let name: String
  private let suite: TestSuite
  private let example: Submission
  private let stub: Submission

  init(folder: URL) throws {
    name = folder.lastPathComponent
    func text(_ path: String) throws -> String {
      try String(contentsOf: folder.appending(path: path), encoding: .utf8)
    }
    let meta = try JSONDecoder().decode(
      Meta.self, from: Data(contentsOf: folder.appending(path: ".meta/config.json"))
    ).files
    let isPython = meta.solution[0].hasSuffix(".py")
    let language = isPython ? "python" : "javascript"
    let tests = try meta.test.map { path in
      var content = try text(path)
      // Only the first test of a JavaScript exercise is not marked to be skipped.
      for (mark, plain) in [("xtest(", "test("), ("xit(", "it("), ("xdescribe(", "describe(")] {
        content = content.replacing(mark, with: plain)
      }
      return SourceFile(path: path, content: content)
    }
    let known = Set(meta.solution + meta.test)
    let others = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { file in
      !known.contains(file) && !file.hasPrefix(".") && !file.contains("config.")
        && file != "package.json"
        && file != "LICENSE"
        && [".py", ".js", ".txt", ".json", ".csv", ".dat"].contains { file.hasSuffix($0) }
    }
    let support = try others.map { SourceFile(path: $0, content: try text($0)) }
    suite = TestSuite(
      language: language, kind: isPython ? .unittest : .nodeTest, files: tests + support, tests: [],
      limits: RunLimits(cpuMilliseconds: 20_000, memoryBytes: 512 << 20))
    func submission(_ paths: [String]) throws -> Submission {
      // An example stands one folder below its exercise.
      let files = try zip(meta.solution, paths).map { path, source in
        let content = try text(source)
        return SourceFile(
          path: path,
          content: source.hasPrefix(".meta/") ? content.replacing("'../", with: "'./") : content)
      }
      return Submission(language: language, mainPath: meta.solution[0], files: files)
    }
    example = try submission(meta.example)
    stub = try submission(meta.solution)
  }

  func judged(by judge: CodeJudge) async throws -> Finding {
    var suite = suite
    suite.tests = try await judge.tests(of: suite, solvedBy: example)
    var finding = Finding(name: name, testCount: suite.tests.count)
    func report(_ submission: Submission) async throws -> ValidationReport {
      try await judge.validate(
        ValidationJob(submission: submission, suite: suite, callerID: EntityID(high: 0, low: 1))
      ) { _ in }
    }
    let right = try await report(example)
    finding.hasPassed = right.verdict == .passed
    if !finding.hasPassed {
      let test = right.tests.first { $0.status != .pass }
      finding.problems.append(
        "the example is \(right.verdict.rawValue): \(right.reason); \(test?.id ?? "no test"): \(test?.message.prefix(300) ?? "")"
      )
    }
    let untouched = try await report(stub)
    finding.hasFailed = untouched.verdict == .failed
    if !finding.hasFailed {
      finding.problems.append("the stub is \(untouched.verdict.rawValue): \(untouched.reason)")
    }
    return finding
  }
}
