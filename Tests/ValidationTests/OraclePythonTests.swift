import Domain
import Testing

@testable import Validation

/// Python code that tries to find out which of its runs is turned around, or to be right in both. None passes.
@Suite struct OraclePythonTests {
  private static let tests = """
    import unittest
    from adder import add

    class AddTest(unittest.TestCase):
        def test_one(self):
            self.assertEqual(add(1, 2), 3)

        def test_two(self):
            self.assertTrue(add(20, 22) == 42)

        def test_loop(self):
            for left, right, total in [(1, 2, 3), (2, 2, 4)]:
                self.assertEqual(add(left, right), total)

        def check(self, left, right, total):
            self.assertEqual(add(left, right), total)

        def test_helper(self):
            self.check(1, 2, 3)

        def test_raises(self):
            with self.assertRaises(ValueError):
                add(None, 1)

    """
  private static let ids = ["one", "two", "loop", "helper", "raises"].map {
    "test_adder.AddTest.test_\($0)"
  }

  static let forgers: [(name: String, code: String)] = [
    (
      "asks for the name of a type",
      """
      class Yes:
          def __eq__(self, other): return type(other).__name__ in ("int", "str", "bool")
      def add(left, right):
          if left is None: raise ValueError
          return Yes()
      """
    ),
    (
      "lies about its class",
      """
      class Yes(int):
          @property
          def __class__(self): return int
          def __eq__(self, other): return True
          def __ne__(self, other): return False
          def __hash__(self): return 3
      def add(left, right):
          if left is None: raise ValueError
          return Yes(7)
      """
    ),
    (
      "takes every assertion's work away",
      """
      import contextlib, unittest
      unittest.TestCase.assertEqual = lambda *a, **k: None
      unittest.TestCase.assertRaises = lambda *a, **k: contextlib.suppress(BaseException)
      def add(left, right): return 0
      """
    ),
    (
      "knows what no exception is called",
      """
      import unittest
      class Raises:
          def __init__(self, kind): self.kind = kind
          def __enter__(self): return self
          def __exit__(self, *a): return "Never" not in self.kind.__name__
      class Yes:
          def __eq__(self, other): return "Never" not in type(other).__name__
      unittest.TestCase.assertRaises = lambda self, kind, *a: Raises(kind)
      def add(left, right): return Yes()
      """
    ),
    (
      "swaps every result",
      """
      import unittest
      original = unittest.TestCase._callTestMethod
      def call(self, method):
          try: original(self, method)
          except BaseException: return
          raise AssertionError
      unittest.TestCase._callTestMethod = call
      def add(left, right): return 0
      """
    ),
    (
      "patches what unittest is made of",
      """
      import contextlib, unittest.case
      unittest.case._Outcome.testPartExecutor = lambda self, *a, **k: contextlib.suppress(BaseException)
      def add(left, right): return 0
      """
    ),
    (
      "looks for the tool of the tests",
      """
      import sys
      class Answer:
          def __init__(self, is_turned): self.is_turned = is_turned
          def __eq__(self, other): return not self.is_turned
      def add(left, right):
          is_turned = False
          for tool in sys._getframe(1).f_code.co_consts:
              if not callable(tool): continue
              try: is_turned = list(tool(("pair", 3, 3, 1, 0))) != [3, 3]
              except Exception: pass
              try: is_turned = any(test.is_turned for test in tool.__self__.gi_frame.f_locals["tests"].values())
              except Exception: pass
              error = ValueError()
              try: tool.__self__.throw(error)
              except BaseException: pass
              try: is_turned = any(test.is_turned for test in error.__traceback__.tb_frame.f_locals["tests"].values())
              except Exception: pass
          if left is None: raise ValueError
          return Answer(is_turned)
      """
    ),
    (
      "looks for it from below",
      """
      import gc, sys
      seen = []
      def look(*a):
          frame = sys._getframe(1)
          while frame:
              if frame.f_code.co_name == "tool": seen.append(frame.f_locals["is_on"])
              frame = frame.f_back
      gc.callbacks.append(look)
      gc.set_threshold(1)
      try: sys.addaudithook(look)
      except BaseException: pass
      class Answer:
          def __eq__(self, other): return True not in seen
          __del__ = look
      def add(left, right):
          if left is None: raise ValueError
          return Answer()
      """
    ),
    (
      "changes what the tool calls",
      """
      import builtins, sys
      seen = []
      def looking(original):
          def look(*a, **k):
              seen.append(sys._getframe(1).f_locals.get("is_on"))
              return original(*a, **k)
          return look
      frame = sys._getframe()
      while frame:
          for name, value in list(frame.f_globals.items()):
              if type(value).__name__ == "function" and name not in ("load", "looking"): frame.f_globals[name] = looking(value)
          frame = frame.f_back
      for name in ("len", "id", "getattr", "abs", "set"):
          setattr(builtins, name, looking(getattr(builtins, name)))
      class Answer:
          def __eq__(self, other): return True not in seen
      def add(left, right):
          if left is None: raise ValueError
          return Answer()
      """
    ),
    (
      "interrupts the tool by signals",
      """
      import os, signal, sys
      seen = []
      def look(number, frame):
          while frame:
              seen.append(frame.f_locals.get("is_on"))
              frame = frame.f_back
      try:
          signal.signal(signal.SIGALRM, look)
          signal.setitimer(signal.ITIMER_REAL, 0.00005, 0.0001)
      except ValueError:
          pass
      class Answer:
          def __eq__(self, other): return True not in seen
      def add(left, right):
          if left is None: raise ValueError
          return Answer()
      """
    ),
    (
      "walks to the runner",
      """
      import sys
      def known():
          frame = sys._getframe()
          while frame:
              for where in (frame.f_locals, frame.f_globals):
                  for value in list(where.values()):
                      for name in ("coins", "tests", "results"):
                          if isinstance(getattr(value, name, None), dict): return True
              frame = frame.f_back
      class Yes:
          def __eq__(self, other): return True
      def add(left, right):
          if not known(): return 0
          if left is None: raise ValueError
          return Yes()
      """
    ),
    (
      "asks inspect and the disk",
      """
      import glob, inspect, test_adder
      text = "".join(open(path).read() for path in glob.glob("/work/test*"))
      try: text += inspect.getsource(test_adder)
      except (OSError, TypeError): pass
      class Yes:
          def __eq__(self, other): return f" {other})" in text
      def add(left, right):
          if left is None: raise ValueError
          return Yes()
      """
    ),
    (
      "runs its tests before they run",
      """
      import test_adder
      seen = []
      class Yes:
          def __eq__(self, other):
              seen.append(other)
              return True
      class Answer:
          def __eq__(self, other): return len(set(map(repr, seen))) == 1
      is_trying = False
      def add(left, right):
          global is_trying
          if left is None: raise ValueError
          if is_trying: return Yes()
          is_trying = True
          seen.clear()
          for _ in range(9):
              try: test_adder.AddTest("test_one").test_one()
              except BaseException as error: seen.append(error)
          is_trying = False
          return Answer()
      """
    ),
    (
      "tells the runs apart by what it is started with",
      """
      import os, sys
      path = "/tmp/start"
      def state(): return repr((sorted(os.environ.items()), sys.argv, sys.orig_argv, sys.flags, sys.path, os.getcwd(), sorted(sys.modules)))
      if not os.path.exists(path): open(path, "w").write(state())
      class Answer:
          def __eq__(self, other): return open(path).read() == state()
      def add(left, right):
          if left is None: raise ValueError
          return Answer()
      """
    ),
    (
      "measures where it is called",
      """
      import os, sys
      path = "/tmp/places"
      if not os.path.exists(path): open(path, "w").close()
      seen = open(path).read().split()
      class Answer:
          def __init__(self, is_known): self.is_known = is_known
          def __eq__(self, other): return self.is_known
      def add(left, right):
          frame = sys._getframe(1)
          place = f"{frame.f_lasti}:{len(frame.f_code.co_code)}:{frame.f_lineno}"
          open(path, "a").write(place + "\\n")
          if left is None: raise ValueError
          return Answer(not seen or place in seen)
      """
    ),
    (
      "ends at the end",
      """
      import atexit, os, threading
      atexit.register(os._exit, 0)
      threading._register_atexit(os._exit, 0)
      def add(left, right): return 0
      """
    ),
  ]

  @Test(arguments: forgers.map(\.name))
  func `nothing that code finds out lets it pass`(_ name: String) async throws {
    let code = try #require(Self.forgers.first { $0.name == name }?.code)
    let suite = Judging.suite("python", .unittest, "test_adder.py", Self.tests, ids: Self.ids)
    let report = try await Judging.report("python", ["adder.py": code], suite: suite)
    #expect(report.verdict == .failed, "\(name): \(report)")
    #expect(!report.statuses.prefix(4).allSatisfy { $0 == .pass }, "\(name): \(report)")
  }

  @Test func `right code passes however its tests assert`() async throws {
    let code = """
      def add(left, right):
          if left is None:
              raise ValueError("no")
          return left + right

      """
    let suite = Judging.suite("python", .unittest, "test_adder.py", Self.tests, ids: Self.ids)
    for _ in 0..<3 {
      let report = try await Judging.report("python", ["adder.py": code], suite: suite)
      #expect(report.verdict == .passed, "\(report)")
    }
  }
}
