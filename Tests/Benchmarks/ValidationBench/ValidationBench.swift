import ArgumentParser
import BenchmarkSupport
import Domain
import Foundation
import Logging
import Sandbox
import Synchronization
import Validation

/// `make bench-validation`: how long a validation takes, and what it costs beside the bare tests.
@main
struct ValidationBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validation", abstract: "Measures validations against the bare tests.")

  @Option(help: "Validations of each kind.")
  var count = 60

  func validate() throws {
    guard (10...10_000).contains(count) else {
      throw ValidationError("--count must be 10 to 10000")
    }
  }

  func run() async throws {
    var report = Report()
    let judge = CodeJudge(
      sandbox: BubblewrapSandbox(), toolchain: .found(), logger: Logger(label: "bench"))
    let bench = Validations(judge: judge, count: count)
    try await bench.measureTests(&report)
    try await bench.measureSyntax(&report)
    try await bench.measureThroughput(&report)
    try report.finish()
  }
}

/// Validations of a submission in Python with five tests.
struct Validations {
  let judge: CodeJudge
  let count: Int
  private static let code = """
    def add(left, right):
        return left + right


    def largest(values):
        best = values[0]
        for value in values:
            best = max(best, value)
        return best

    """
  private static let names = ["adds", "adds_text", "largest", "largest_of_one", "refuses"]
  private static let tests = """
    import unittest
    from code_under_test import add, largest


    class CodeTest(unittest.TestCase):
        def test_adds(self):
            self.assertEqual(add(1, 2), 3)

        def test_adds_text(self):
            self.assertEqual(add("a", "b"), "ab")

        def test_largest(self):
            self.assertEqual(largest([1, 5, 3]), 5)

        def test_largest_of_one(self):
            self.assertEqual(largest([7]), 7)

        def test_refuses(self):
            with self.assertRaises(IndexError):
                largest([])

    """

  private func job(caller: UInt64 = 1) -> ValidationJob {
    let suite = TestSuite(
      language: "python", kind: .unittest,
      files: [SourceFile(path: "test_code.py", content: Self.tests)],
      tests: Self.names.map { ExpectedTest(id: "test_code.CodeTest.test_\($0)") })
    let file = SourceFile(path: "code_under_test.py", content: Self.code)
    return ValidationJob(
      submission: Submission(language: "python", mainPath: file.path, files: [file]), suite: suite,
      callerID: EntityID(high: 0, low: caller))
  }

  func measureTests(_ report: inout Report) async throws {
    // The first ones ask for versions and fill caches.
    for _ in 0..<3 { _ = try await judge.validate(job()) { _ in } }
    var walls: [Double] = []
    var cpu = 0.0
    for _ in 0..<count {
      let before = Self.childCPU()
      let start = ContinuousClock.now
      let result = try await judge.validate(job()) { _ in }
      walls.append((ContinuousClock.now - start).inMilliseconds)
      cpu += Self.childCPU() - before
      guard result.verdict == .passed else { throw BenchmarkError("not passed: \(result.reason)") }
    }
    let median = Samples(walls).median
    report.figures.append(
      Figure("validation.python_tests_p50_ms", median, unit: "ms", isLessBetter: true))
    var rested: [Double] = []
    for _ in 0..<count {
      try await Self.rest()
      let start = ContinuousClock.now
      _ = try await judge.validate(job()) { _ in }
      rested.append((ContinuousClock.now - start).inMilliseconds)
    }
    report.figures.append(
      Figure(
        "validation.python_tests_rested_p50_ms", Samples(rested).median, unit: "ms",
        isLessBetter: true))
    report.promises.append(
      Promise(
        "a submission with 5 tests takes 150 ms (median)", holds: median <= 150, isBinding: false))
    let bare = try bareCPU()
    report.figures.append(
      Figure(
        "validation.cpu_seconds_vs_bare", cpu / Double(count) / bare, unit: "times",
        peer: "pytest, bare", theirs: 1, isLessBetter: true))
  }

  func measureSyntax(_ report: inout Report) async throws {
    let lines = (0..<200).map { "value_\($0) = (\($0) + 1) * 2\n" }.joined()
    let file = SourceFile(path: "main.py", content: lines)
    let job = ValidationJob(
      submission: Submission(language: "python", mainPath: file.path, files: [file]), suite: nil,
      callerID: EntityID(high: 0, low: 1))
    for _ in 0..<3 { _ = try await judge.validate(job) { _ in } }
    let direct = try await checks(of: job, isRested: false)
    let rested = try await checks(of: job, isRested: true)
    let late = direct.syntax.percentile(99)
    report.figures += [
      Figure("validation.syntax_p50_ms", direct.syntax.median, unit: "ms", isLessBetter: true),
      Figure("validation.syntax_p99_ms", late, unit: "ms", isLessBetter: true),
      Figure(
        "validation.syntax_and_lint_p50_ms", direct.whole.median, unit: "ms", isLessBetter: true),
      Figure(
        "validation.syntax_and_lint_p99_ms", direct.whole.percentile(99), unit: "ms",
        isLessBetter: true),
      Figure(
        "validation.syntax_rested_p50_ms", rested.syntax.median, unit: "ms", isLessBetter: true),
      Figure(
        "validation.syntax_rested_p99_ms", rested.syntax.percentile(99), unit: "ms",
        isLessBetter: true),
    ]
    report.promises.append(
      Promise(
        "the syntax of 200 lines takes 20 ms (99th percentile)", holds: late <= 20,
        isBinding: false))
  }

  /// Until the stage's diagnostics have all been told, and until lint is done, too.
  ///
  /// - Parameter isRested: whether each comes after a pause, and not directly after the one before it.
  private func checks(
    of job: ValidationJob, isRested: Bool
  ) async throws -> (syntax: Samples, whole: Samples) {
    var syntax: [Double] = []
    var walls: [Double] = []
    for _ in 0..<max(count, 100) {
      if isRested { try await Self.rest() }
      let start = ContinuousClock.now
      let told = Mutex<Double?>(nil)
      let result = try await judge.validate(job) { step in
        if case .stageFinished(let stage) = step, stage.stage == .syntax {
          told.withLock { $0 = (ContinuousClock.now - start).inMilliseconds }
        }
      }
      walls.append((ContinuousClock.now - start).inMilliseconds)
      guard let wall = told.withLock({ $0 }) else {
        throw BenchmarkError("no syntax: \(result.reason)")
      }
      syntax.append(wall)
    }
    return (Samples(syntax), Samples(walls))
  }

  /// Long enough for what the next job begins with to be ready.
  private static func rest() async throws { try await Task.sleep(for: .milliseconds(150)) }

  /// Two callers at once, each with one validation after the other.
  func measureThroughput(_ report: inout Report) async throws {
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for caller in 1...2 {
        group.addTask {
          for _ in 0..<count {
            let result = try await judge.validate(job(caller: UInt64(caller))) { _ in }
            guard result.verdict == .passed else {
              throw BenchmarkError("not passed: \(result.reason)")
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let minutes = (ContinuousClock.now - start).inSeconds / 60
    report.figures.append(
      Figure("validation.submissions_per_minute", Double(2 * count) / minutes, unit: "per minute"))
  }

  /// CPU seconds of the same tests under pytest, without a sandbox.
  private func bareCPU() throws -> Double {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Self.code.write(
      to: folder.appending(path: "code_under_test.py"), atomically: true, encoding: .utf8)
    try Self.tests.write(
      to: folder.appending(path: "test_code.py"), atomically: true, encoding: .utf8)
    let packages = Toolchain.found().pythonPackages ?? ""
    let runs = 10
    let before = Self.childCPU()
    for _ in 0..<runs {
      try Programs.run([
        "env", "PYTHONPATH=\(packages)", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", "/usr/bin/python3",
        "-m", "pytest",
        "-q", "-p", "no:cacheprovider", folder.path,
      ])
    }
    return (Self.childCPU() - before) / Double(runs)
  }

  /// Of all children that have ended and were waited for.
  private static func childCPU() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }
}
