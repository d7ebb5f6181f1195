import Domain
import Testing

@testable import Validation

/// Right code and the many ways in which tests assert: turned around, each of them must fail, and none by chance.
@Suite struct HonestTests {
  private static func check(_ language: String, _ suite: TestSuite, _ path: String, _ code: String)
    async throws
  {
    var suite = suite
    let submission = Submission(
      language: language, mainPath: path, files: [SourceFile(path: path, content: code)])
    suite.tests = try await Judging.judge.tests(of: suite, solvedBy: submission)
    #expect(suite.tests.count > 10)
    // The lots are drawn anew each time.
    for _ in 0..<3 {
      let report = try await Judging.report(language, [path: code], suite: suite)
      let others = report.tests.filter { $0.status != .pass }
      #expect(others.isEmpty, "\(others)")
      #expect(report.verdict == .passed, "\(report.reason)")
    }
  }

  @Test func `unittest's assertions`() async throws {
    let suite = Judging.suite("python", .unittest, "test_adder.py", Self.pythonTests, ids: [])
    try await Self.check("python", suite, "adder.py", Self.pythonCode)
  }

  @Test(arguments: ["", "\u{feff}"])
  func `node's assertions`(_ mark: String) async throws {
    let suite = Judging.suite(
      "javascript", .nodeTest, "adder.test.js", mark + Self.nodeTests, ids: [])
    try await Self.check("javascript", suite, "adder.js", Self.nodeCode)
  }

  @Test func `Jest's assertions`() async throws {
    let suite = Judging.suite("javascript", .nodeTest, "adder.test.js", Self.jestTests, ids: [])
    try await Self.check("javascript", suite, "adder.js", Self.nodeCode)
  }

  private static let nodeCode = """
    export const add = (a, b) => a + b; export const refuse = () => { throw new Error('no'); };

    """

  private static let pythonCode = """
    import enum, collections
    def add(a, b): return a + b
    class MyError(ValueError): pass
    class Clock:
        def __init__(self, h, m): self.h, self.m = h, m
        def __eq__(self, o): return isinstance(o, Clock) and (self.h, self.m) == (o.h, o.m)
        def __hash__(self): return hash((self.h, self.m))
        def __repr__(self): return f"Clock({self.h}, {self.m})"
    class Color(enum.Enum):
        RED = 1
    Point = collections.namedtuple("Point", "x y")
    def fail(): raise ValueError("bad")
    def fail2(): raise MyError("no")
    def pair(): return 1, 1
    async def slow(x):
        import asyncio
        await asyncio.sleep(0)
        if x is None: raise ValueError
        return x

    """

  private static let nodeTests = """
    import test, { describe, it } from 'node:test';
    import assert, { strictEqual, deepEqual as same } from 'node:assert/strict';
    import { add, refuse } from './adder.js';
    // ñ 😀
    describe('s', () => {
      it('chain', () => {
        assert
          .equal(add(1, 2), 3);
      });
      it('args', () => {
        assert.strictEqual(
          add(1, 2),
          3,
          'message',
        );
      });
      it('named', () => { /* ñ😀 */ strictEqual(add(1, 2), 3) });
      it('named2', () => same([add(1, 2)], [3]));
      it('space', function () { assert . equal (add(1, 2), 3); });
      it('paren', () => { (assert.equal)(add(1, 2), 3); });
      it('async', async () => {
        await new Promise((r) => setTimeout(r, 5));
        await assert.rejects(
          async () => refuse(),
          /no/,
        );
      });
      it('cb', (t, done) => { setTimeout(() => { assert.equal(add(1, 2), 3); done(); }, 5); });
      it('ctx', (t) => { t.diagnostic('x'); assert.ok(add(1, 2)); });
      it('comment', () => { assert.equal(add(1, 2), 3); // }
      });
      it('try', () => { try { refuse(); assert.fail('x'); } catch (e) { assert.equal(e.message, 'no'); } });
      it('if', () => { if (add(1, 2) === 4) { assert.equal(1, 2); } });
      it('optional', () => { assert?.equal(add(1, 2), 3); });
      it('tpl', () => { assert.equal(`${add(1, 2)}`, '3'); assert.match(`${add(1,2)}`, /3/); });
      it('two', () => { assert.equal(add(1, 2), 3); assert.equal(add(1, 3), 4); add(1, 2); });
      it('nested', async (t) => { await t.test('inner', () => { assert.equal(add(1, 2), 3); }); });
      it('then', () => Promise.resolve(add(1, 2)).then((x) => assert.equal(x, 3)));
      it('ifError', () => { assert.ifError(null); });
      it('nothrow', () => { assert.doesNotThrow(() => add(1, 2)); });
      it('void', () => void assert.equal(add(1, 2), 3));
      it('seq', () => { add(1, 2), assert.equal(add(1, 2), 3); });
    });

    """

  private static let jestTests = """
    import { describe, expect, test } from '@jest/globals';
    import { add, refuse } from './adder.js';
    describe('s', () => {
      test('chain', () => {
        expect(
          add(1, 2),
        )
          .toBe(
            3,
          );
      });
      test('not', () => { expect(add(1, 2))
        .not
        .toBe(4); });
      test('resolves', async () => {
        await expect(Promise.resolve(add(1, 2)))
          .resolves
          .toEqual(3);
      });
      test('done', (done) => { setTimeout(() => { expect(add(1, 2)).toBe(3); done(); }, 5); });
      test('tabs', () => {
    \t\texpect(add(1, 2)).toBe(3);\texpect(refuse).toThrow();
      });
      test('fn', function () { const result = add(1, 2); expect(result).toBe(3) });
      test('close', () => { expect(add(0.1, 0.2)).toBeCloseTo(0.3, 5); });
      test('len', () => { expect([add(1, 2)]).toHaveLength(1); });
      test('obj', () => { expect({ a: add(1, 2), b: [1] }).toMatchObject({ a: 3 }); expect(new Error('x')).toBeInstanceOf(Error); });
      test('gt', () => { expect(add(1, 2)).toBeGreaterThan(2); });
      test('inf', () => { expect(add(1, 2)).toBeLessThan(Infinity); });
      test('matchers', () => { expect([add(1, 2), 4]).toEqual(expect.arrayContaining([3])); });
      test('if', () => { if (false) { expect(1).toBe(2); } });
      test('spy', () => { const f = jest.fn(() => 1); f(2); expect(f).toHaveBeenCalledWith(2); });
    });

    """

  private static let pythonTests = """
    import unittest, enum, math, collections, datetime
    from fractions import Fraction
    from decimal import Decimal
    from adder import *
    import adder
    class AddTest(unittest.TestCase):
        @classmethod
        def setUpClass(cls): cls.x = add(1, 2)
        def setUp(self): self.assertEqual(self.x, 3)
        def test_class(self): self.assertEqual(Clock(1, 2), Clock(1, 2))
        def test_class2(self): self.assertEqual(str(Clock(1, 2)), "Clock(1, 2)")
        def test_classes(self): self.assertEqual([Clock(1, 2), Clock(2, 3)], [Clock(1, 2), Clock(2, 3)])
        def test_set(self): self.assertEqual({Clock(1, 2)}, {Clock(1, 2)})
        def test_dict(self): self.assertEqual({Clock(1, 2): 1}, {Clock(1, 2): 1})
        def test_count(self): self.assertCountEqual([Clock(1, 2), 3], [3, Clock(1, 2)])
        def test_enum(self): self.assertEqual(Color.RED, Color(1))
        def test_is(self): self.assertIs(Color.RED, Color(1))
        def test_is2(self): self.assertIs(add(True, False) == 1, True)
        def test_nt(self): self.assertEqual(Point(1, 2), Point(1, 2))
        def test_nt2(self): self.assertEqual(Point(1, 2), (1, 2))
        def test_frac(self): self.assertEqual(Fraction(add(1, 2), 2), Fraction(3, 2))
        def test_frac2(self): self.assertEqual(add(Fraction(1), 2), 3)
        def test_dec(self): self.assertEqual(add(Decimal("1.5"), 1), Decimal("2.5"))
        def test_dt(self): self.assertEqual(datetime.datetime.max, datetime.datetime.max)
        def test_td(self): self.assertEqual(datetime.timedelta(add(1, 2)), datetime.timedelta(3))
        def test_od(self): self.assertEqual(collections.OrderedDict(a=1), {"a": 1})
        def test_dd(self): self.assertEqual(collections.Counter("aab"), {"a": 2, "b": 1})
        def test_empty(self): self.assertEqual([], []); self.assertEqual(set(), set()); self.assertEqual({}, {}); self.assertEqual("", ""); self.assertEqual(b"", b"")
        def test_empty2(self): self.assertEqual((), ())
        def test_inf(self): self.assertEqual(math.inf, math.inf)
        def test_big(self): self.assertEqual(2**200 + add(0, 0), 2**200)
        def test_huge(self): self.assertEqual(1e300, add(1e300, 0))
        def test_neg(self): self.assertEqual(-0.0, 0.0)
        def test_range(self): self.assertEqual(range(3), range(3))
        def test_list(self): self.assertListEqual(list(range(100)), list(range(100)))
        def test_multi(self): self.assertMultiLineEqual("a\\nb", "a\\nb")
        def test_seq(self): self.assertSequenceEqual((1, 2), [1, 2])
        def test_in(self): self.assertIn("a", "cat"); self.assertIn(3, {3, 4})
        def test_in2(self): self.assertIn(Clock(1, 2), [Clock(1, 2)])
        def test_in3(self): self.assertIn(3, (x for x in range(5)))
        def test_in4(self): self.assertIn("k", {"k": 1})
        def test_in5(self): self.assertIn(True, [True, False])
        def test_in6(self): self.assertIn("", "cat")
        def test_notin(self): self.assertNotIn(add(1, 2), [4])
        def test_almost(self): self.assertAlmostEqual(add(1, 2), 3, delta=100)
        def test_almost2(self): self.assertAlmostEqual(3.14159, math.pi, 3)
        def test_notalmost(self): self.assertNotAlmostEqual(add(1, 2), 4)
        def test_isnot(self): self.assertIsNot([], [])
        def test_none(self): self.assertIsNone(None)
        def test_notnone(self): self.assertIsNotNone(add(1, 2))
        def test_greater(self): self.assertGreater(Fraction(3), Fraction(1)); self.assertGreaterEqual("b", "a")
        def test_less(self): self.assertLessEqual(-math.inf, add(1, 2))
        def test_less2(self): self.assertTrue(math.inf >= add(1, 2))
        def test_less3(self): self.assertTrue("a" <= "a")
        def test_less4(self): self.assertTrue({1} <= {1, 2})
        def test_raises(self): self.assertRaises((ValueError, TypeError), fail)
        def test_raises1(self):
            with self.assertRaises(Exception): fail()
        def test_raises2(self):
            with self.assertRaises(MyError) as context: fail2()
            self.assertEqual(type(context.exception), MyError)
            self.assertEqual(str(context.exception), "no")
        def test_raises3(self):
            with self.assertRaises(BaseException): fail()
        def test_raises4(self):
            with self.assertRaisesRegex(MyError, "no"): fail2()
        def test_args(self): self.assertEqual(*pair())
        def test_kw(self): self.assertEqual(first=add(1, 2), second=3)
        def test_msg(self): self.assertEqual(add(1, 2), 3, msg="x")
        def test_true(self): self.assertTrue(add(1, 2) == 3 or 1 == 2); 
        def test_true2(self): self.assertTrue(not add(0, 0))
        def test_true3(self): self.assertTrue(add(1, 2) != 3 or True)
        def test_true4(self): assert any(x == 3 for x in [1, 2, add(1, 2)])
        def test_true5(self): assert not (add(1, 2) == 4)
        def test_true6(self): assert (add(1, 2) == 3) is True
        def test_false(self): self.assertFalse(add(1, 2) == 4)
        def test_while(self):
            n = 0
            while n < 3:
                self.assertEqual(add(n, 1), n + 1)
                n += 1
        def test_try(self):
            try: fail()
            except ValueError as e: self.assertEqual(str(e), "bad")
            else: self.fail()
        def test_zero(self):
            for x in []: self.assertEqual(1, 2)
        def test_with(self):
            with open("/dev/null") as f: self.assertEqual(f.read(), "")
        def test_lambda(self):
            check = lambda a: self.assertEqual(add(a, 1), a + 1)
            check(1)
        def test_inner(self):
            def check(a): self.assertEqual(add(a, 1), a + 1)
            check(1)
        def test_patch(self):
            from unittest.mock import patch
            with patch("adder.add", return_value=5): self.assertEqual(adder.add(1, 2), 5)
        def test_logs(self):
            import logging
            with self.assertLogs() as logs: logging.warning("x")
            self.assertEqual(logs.output, ["WARNING:root:x"])
        def test_warns(self):
            import warnings
            with self.assertWarns(UserWarning): warnings.warn("x")
        def test_kind(self): self.assertIsInstance(Clock(1, 2), Clock)
        def test_kind2(self): self.assertIsInstance(frozenset(), (frozenset, set))
        def test_regex(self): self.assertRegex(str(Clock(1, 2)), r"Clock\\(")
        def test_sub(self): self.assertTrue(issubclass(MyError, ValueError))
        def test_chained(self): self.assertTrue(1 < add(1, 2) < 4)
        def test_eq_chain(self): assert add(1, 2) == 3 == 3
    class Sub(AddTest): pass
    class AsyncTest(unittest.IsolatedAsyncioTestCase):
        async def test_a(self):
            self.assertEqual(await slow(1), 1)
        async def test_b(self):
            with self.assertRaises(ValueError): await slow(None)

    """
}
