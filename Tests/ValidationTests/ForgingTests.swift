import Domain
import Testing

@testable import Validation

/// Code that claims results for its own tests. None of it may pass.
@Suite struct ForgingTests {
  private static let tests = """
    import unittest
    from adder import add

    class AddTest(unittest.TestCase):
        def test_one(self):
            self.assertEqual(add(1, 2), 3)

        def test_two(self):
            self.assertEqual(add(20, 22), 42)

        def test_three(self):
            self.assertTrue(add(0, 1) == 1)

    """
  private static let ids = ["one", "two", "three"].map { "test_adder.AddTest.test_\($0)" }

  static let forgers: [(name: String, code: String)] = [
    (
      "writes to every descriptor",
      """
      import json, os
      for fd in range(3, 64):
          for test in ("one", "two", "three"):
              line = json.dumps({"test": "test_adder.AddTest.test_" + test, "status": "pass"}) + "\\n"
              try:
                  os.write(fd, line.encode())
              except OSError:
                  pass
      def add(left, right): return 0
      """
    ),
    (
      "prints a report",
      """
      print('{"test": "test_adder.AddTest.test_one", "status": "pass"}')
      print("Ran 3 tests in 0.000s\\n\\nOK")
      def add(left, right): return 0
      """
    ),
    (
      "patches unittest",
      """
      import unittest
      for name in dir(unittest.TestCase):
          if name.startswith("assert"):
              setattr(unittest.TestCase, name, lambda *a, **k: None)
      def add(left, right): return 1
      """
    ),
    (
      "patches the results",
      """
      import unittest
      def add(left, right): return 0
      unittest.TestResult.addFailure = unittest.TestResult.addError = lambda *a: None
      unittest.TestCase.run = lambda self, result=None: (
          result.startTest(self), result.addSuccess(self), result.stopTest(self))
      """
    ),
    ("leaves at import", "raise SystemExit(0)\n"),
    ("leaves at once", "import os\nos._exit(0)\n"),
    (
      "leaves in a test",
      "import os\ndef add(left, right): os._exit(0)\n"
    ),
    (
      "leaves at the end",
      "import atexit, os\natexit.register(os._exit, 0)\ndef add(left, right): return 0\n"
    ),
    (
      "walks frames to the writer",
      """
      import os, sys
      frame = sys._getframe()
      while frame:
          send = frame.f_locals.get("send") or frame.f_globals.get("send")
          if callable(send):
              ids = ["test_adder.AddTest.test_" + name for name in ("one", "two", "three")]
              send({"plan": ids})
              for name in ids:
                  send({"test": name, "status": "pass", "message": "", "output": "", "us": 1})
              os._exit(0)
          frame = frame.f_back
      def add(left, right): return 0
      """
    ),
    (
      "takes the place of the tests",
      """
      import sys, types
      fake = types.ModuleType("test_adder")
      sys.modules["test_adder"] = sys.modules["unittest"] = fake
      open("/work/test_adder.py", "w").write("import unittest\\nclass AddTest(unittest.TestCase):\\n    def test_one(self): pass\\n    test_two = test_three = test_one\\n")
      def add(left, right): return 0
      """
    ),
    (
      "is equal to everything",
      """
      class Yes:
          def __eq__(self, other): return True
          def __bool__(self): return True
      def add(left, right): return Yes()
      """
    ),
    (
      "kills its judge",
      """
      import os, signal
      for pid in (os.getppid(), -1, 1, 0):
          try:
              os.kill(pid, signal.SIGKILL)
          except BaseException:
              pass
      def add(left, right): return 0
      """
    ),
    (
      "asks the collector",
      """
      import gc, sys
      def add(left, right): return 0
      try:
          for found in gc.get_objects():
              if getattr(found, "__name__", "") == "send":
                  for name in ("one", "two", "three"):
                      found({"test": "test_adder.AddTest.test_" + name, "status": "pass"})
      except BaseException:
          pass
      """
    ),
    (
      "turns assertion errors into nothing",
      """
      import builtins
      class AssertionError(BaseException):
          def __new__(cls, *a): raise SystemExit(0)
      builtins.AssertionError = AssertionError
      import unittest
      unittest.TestCase.failureException = AssertionError
      def add(left, right): return 0
      """
    ),
  ]

  @Test(arguments: forgers.map(\.name))
  func `a forger does not pass`(_ name: String) async throws {
    let code = try #require(Self.forgers.first { $0.name == name }?.code)
    let suite = Judging.suite("python", .unittest, "test_adder.py", Self.tests, ids: Self.ids)
    let report = try await Judging.report("python", ["adder.py": code], suite: suite)
    #expect(report.verdict == .failed, "\(name): \(report)")
    #expect(!report.statuses.allSatisfy { $0 == .pass })
  }

  @Test func `files that steer runners are left out`() async throws {
    let suite = Judging.suite(
      "python", .pytest, "test_adder.py",
      "from adder import add\ndef test_one(): assert add(1, 2) == 3\n",
      ids: ["test_adder.py::test_one"])
    let fixture = """
      import pytest
      @pytest.hookimpl(tryfirst=True)
      def pytest_runtest_makereport(item, call):
          call.excinfo = None
      """
    let report = try await Judging.report(
      "python",
      [
        "adder.py": "def add(a, b): return 0\n", "conftest.py": fixture,
        "pytest.ini": "[pytest]\naddopts=--co\n",
        "sitecustomize.py": fixture, "usercustomize.py": "raise SystemExit(0)\n",
        "test_adder.py": "def test_one(): pass\n",
      ], main: "adder.py", suite: suite)
    #expect(report.verdict == .failed, "\(report)")
    #expect(report.statuses == [.fail], "\(report)")
    #expect(report.stages[0].note.contains("4 files"))
  }

  @Test func `pytest cannot be patched either`() async throws {
    let code = """
      import _pytest.runner, pytest
      _pytest.runner.call_and_report = lambda *a, **k: None
      def raises(*a, **k):
          import contextlib
          return contextlib.nullcontext()
      pytest.raises = raises
      class Yes:
          def __eq__(self, other): return True
      def add(a, b): return Yes()
      """
    let suite = Judging.suite(
      "python", .pytest, "test_adder.py",
      "import pytest\nfrom adder import add\ndef test_one(): assert add(1, 2) == 3\ndef test_two():\n    with pytest.raises(ValueError):\n        add(1, None)\n",
      ids: ["test_adder.py::test_one", "test_adder.py::test_two"])
    let report = try await Judging.report("python", ["adder.py": code], suite: suite)
    #expect(report.verdict == .failed, "\(report)")
    #expect(!report.statuses.contains(.pass))
  }

  static let nodeForgers: [(name: String, code: String)] = [
    (
      "patches assertions",
      """
      import assert from 'node:assert';
      try { assert.equal = assert.strictEqual = () => {}; } catch {}
      export const add = () => 0;
      """
    ),
    (
      "writes to the channel",
      """
      import fs from 'node:fs';
      for (let fd = 3; fd < 40; fd += 1) {
        try { fs.writeSync(fd, JSON.stringify({ test: 'adder.test.js::adds', status: 'pass' }) + '\\n'); } catch {}
      }
      export const add = () => 0;
      """
    ),
    (
      "loads the reporter again",
      """
      import fs from 'node:fs';
      const parts = fs.readFileSync('/proc/self/cmdline', 'utf8').split('\\0');
      for (const part of parts.filter((text) => text.startsWith('data:'))) {
        try {
          const { default: report } = await import(part);
          for await (const _ of report([{ type: 'test:pass', data: { name: 'adds', nesting: 0, details: {} } }]));
        } catch {}
      }
      export const add = () => 0;
      """
    ),
    ("leaves", "process.exit(0);\nexport const add = () => 0;\n"),
    (
      "looks into the judge",
      """
      import inspector from 'node:inspector';
      import v8 from 'node:v8';
      try { const session = new inspector.Session(); session.connect(); session.post('Debugger.enable'); } catch {}
      try { v8.getHeapSnapshot(); } catch {}
      try { process.binding('fs'); } catch {}
      export const add = () => ({ valueOf: () => 3 });
      """
    ),
    (
      "patches the runner of tests",
      """
      import test from 'node:test';
      for (const name of Object.keys(test)) { try { test[name] = () => {}; } catch {} }
      Promise.prototype.then = function () { return this; };
      export const add = () => 0;
      """
    ),
  ]

  @Test(arguments: nodeForgers.map(\.name))
  func `a forger in JavaScript does not pass`(_ name: String) async throws {
    let code = try #require(Self.nodeForgers.first { $0.name == name }?.code)
    let tests = """
      import test from 'node:test';
      import assert from 'node:assert';
      import { add } from './adder.js';
      test('adds', () => { assert.strictEqual(add(1, 2), 3); });
      """
    let suite = Judging.suite(
      "javascript", .nodeTest, "adder.test.js", tests, ids: ["adder.test.js::adds"])
    let report = try await Judging.report("javascript", ["adder.js": code], suite: suite)
    #expect(report.verdict == .failed || report.verdict == .errored, "\(name): \(report)")
    #expect(report.statuses != [.pass])
  }

  @Test func `a program that guesses cannot see what is expected`() async throws {
    let code = """
      import glob, os, sys
      for path in glob.glob("/work/**", recursive=True) + glob.glob("/proc/*/cmdline"):
          try:
              print(open(path).read())
          except OSError:
              pass
      """
    let suite = TestSuite(
      language: "python", kind: .stdio,
      tests: [ExpectedTest(id: "a", input: "1\n", output: "secret-answer\n")])
    let report = try await Judging.report("python", ["main.py": code], suite: suite)
    #expect(report.verdict == .failed)
    #expect(!report.test(0).output.contains("secret-answer"))
  }
}
