import Domain
import Testing

@testable import Validation

/// JavaScript that tries to find out which of its runs is turned around, or to change what is said of it.
@Suite struct OracleNodeTests {
  private static let tests = """
    import test from 'node:test';
    import assert from 'node:assert';
    import { add } from './adder.js';
    test('adds', () => { assert.strictEqual(add(1, 2), 3); });
    test('adds many', () => { for (const [a, b, sum] of [[1, 2, 3], [2, 2, 4]]) assert.equal(add(a, b), sum); });
    """
  private static let jestTests = """
    import { expect, test } from '@jest/globals';
    import { add } from './adder.js';
    test('adds', () => { expect(add(1, 2)).toEqual(3); });
    test('adds many', () => { [[1, 2, 3], [2, 2, 4]].forEach(([a, b, sum]) => { expect([add(a, b)]).toEqual([sum]); }); });
    """
  private static let commonTests = """
    const { add } = require('./adder.js');
    const assert = require('node:assert');
    const test = require('node:test');
    test('adds', () => { assert.strictEqual(add(1, 2), 3); });
    test('adds many', () => { for (const [a, b, sum] of [[1, 2, 3], [2, 2, 4]]) { assert.equal(add(a, b), sum); } });
    """
  private static let ids = ["adds", "adds many"].map { "adder.test.js::\($0)" }

  private static func check(
    _ forgers: [(name: String, code: String)], _ name: String, _ tests: String
  ) async throws {
    let code = try #require(forgers.first { $0.name == name }?.code)
    let suite = Judging.suite("javascript", .nodeTest, "adder.test.js", tests, ids: ids)
    let report = try await Judging.report("javascript", ["adder.js": code], suite: suite)
    #expect(report.verdict == .failed, "\(name): \(report)")
    #expect(!report.statuses.contains(.pass), "\(name): \(report)")
  }

  static let forgers: [(name: String, code: String)] = [
    (
      "reads the text of the tests",
      """
      import fs from 'node:fs';
      const isTurned = /class|Never|notStrictEqual|throw|[?] false/.test(fs.readFileSync('adder.test.js', 'utf8'));
      Object.is = () => true;
      export const add = () => { if (isTurned) throw new Error('turned'); return 0; };
      """
    ),
    (
      "reads the judge's memory",
      """
      import fs from 'node:fs';
      let isRead = false;
      try { fs.readFileSync('/proc/self/maps', 'utf8'); fs.openSync('/proc/self/mem'); isRead = true; } catch {}
      export const add = () => (isRead ? 3 : 0);
      """
    ),
    (
      "swaps results on their way",
      """
      const swapped = { configurable: true, get() {
        const event = this.value ?? this;
        if (event?.type === 'test:fail') event.type = 'test:pass';
        else if (event?.type === 'test:pass') event.type = 'test:fail';
      } };
      try { Object.defineProperty(Object.prototype, 'then', swapped); } catch {}
      export const add = () => 0;
      """
    ),
    (
      "swaps results by patched prototypes",
      """
      import { EventEmitter } from 'node:events';
      import stream from 'node:stream';
      const swap = (event) => { if (event?.type === 'test:fail') event.type = 'test:pass'; return event; };
      for (const owner of [Array.prototype, stream.Readable.prototype]) {
        for (const name of ['push', 'unshift', 'read', 'shift']) {
          const original = owner[name];
          try { owner[name] = function (...all) { return swap(original.apply(this, all.map(swap))); }; } catch {}
        }
      }
      for (const owner of [EventEmitter.prototype, process]) {
        try { const emit = owner.emit; owner.emit = function (name, ...all) { return emit.call(this, name, ...all.map(swap)); }; } catch {}
      }
      const get = Map.prototype.get;
      Map.prototype.get = function (key) { return swap(get.call(this, key)); };
      try { JSON.stringify = () => '{"status":"pass"}'; } catch {}
      export const add = () => 0;
      """
    ),
    (
      "guesses symbols and names",
      """
      for (const name of Object.getOwnPropertyNames(globalThis).filter((one) => one.startsWith('__'))) {
        try { globalThis[name](); } catch {}
        try { Object.defineProperty(globalThis, name, { value: () => {} }); } catch {}
      }
      for (const name of ['turned', 'token', 'hito', 'isTurned']) globalThis[Symbol.for(name)] = globalThis[name] = false;
      export const add = () => 0;
      """
    ),
    (
      "hides where a call stands",
      """
      Error.stackTraceLimit = 0;
      Error.prepareStackTrace = () => [];
      const site = Object.getPrototypeOf((() => { Error.prepareStackTrace = (_, sites) => sites; Error.stackTraceLimit = 1; return new Error().stack[0]; })() ?? {});
      for (const name of Object.getOwnPropertyNames(site)) { try { site[name] = () => null; } catch {} }
      Error.stackTraceLimit = 0;
      Object.freeze(Error);
      export const add = () => 0;
      """
    ),
    (
      "pretends to be the tests",
      """
      import assert from 'node:assert';
      import fs from 'node:fs';
      import vm from 'node:vm';
      globalThis.assertion = assert;
      let isTurned = false;
      const lines = fs.readFileSync('adder.test.js', 'utf8').split('\\n');
      const row = lines.findIndex((line) => line.includes('strictEqual'));
      for (const filename of ['/work/adder.test.js', 'file:///work/adder.test.js']) {
        const code = '\\n'.repeat(row) + 'assertion.'.padStart(lines[row].indexOf('strictEqual')) + 'strictEqual(1, 1)';
        try { new vm.Script(code, { filename }).runInThisContext(); } catch { isTurned = true; }
      }
      export const add = () => 0;
      process.on('exit', () => { if (isTurned) process.exitCode = 1; });
      """
    ),
    (
      "opens the inspector",
      """
      import net from 'node:net';
      try { process.kill(process.pid, 'SIGUSR1'); } catch {}
      try { process._debugProcess(process.pid); } catch {}
      let isOpen = false;
      await new Promise((resolve) => setTimeout(resolve, 200));
      await new Promise((resolve) => net.connect(9229, '127.0.0.1').on('error', resolve).on('connect', () => { isOpen = true; resolve(); }));
      export const add = () => (isOpen ? 3 : 0);
      """
    ),
    (
      "has others do it",
      """
      import { execSync } from 'node:child_process';
      import { register } from 'node:module';
      import { Worker } from 'node:worker_threads';
      let isDone = false;
      try { execSync('true'); isDone = true; } catch {}
      try { new Worker('1', { eval: true }); isDone = true; } catch {}
      try { register('data:text/javascript,export const load = 1'); isDone = true; } catch {}
      export const add = () => (isDone ? 3 : 0);
      """
    ),
    (
      "adds hooks",
      """
      import { after, afterEach, beforeEach } from 'node:test';
      for (const hook of [after, afterEach, beforeEach]) {
        hook((context) => { for (const name of ['todo', 'skip']) { try { context[name](); } catch {} } });
      }
      export const add = () => 0;
      """
    ),
  ]

  @Test(arguments: forgers.map(\.name))
  func `node's tests are not forged`(_ name: String) async throws {
    try await Self.check(Self.forgers, name, Self.tests)
  }

  static let jestForgers: [(name: String, code: String)] = [
    (
      "is equal to what it is asked for",
      """
      export const add = () => ({ asymmetricMatch: () => true, $$typeof: Symbol.for('jest.asymmetricMatcher') });
      """
    ),
    (
      "answers with a matcher",
      """
      export const add = () => globalThis.expect.anything();
      """
    ),
    (
      "patches what values are compared with",
      """
      const yes = (_, wanted) => typeof wanted !== 'function';
      Object.is = yes;
      for (const name of ['every', 'some', 'includes']) { try { Array.prototype[name] = () => true; } catch {} }
      for (const name of ['test', 'exec']) { try { RegExp.prototype[name] = () => true; } catch {} }
      String.prototype.includes = () => true;
      Math.abs = () => 0;
      export const add = () => 0;
      """
    ),
    (
      "takes expected values out of arrays",
      """
      const values = Array.prototype[Symbol.iterator];
      const swapped = function () { return values.call(this.length === 1 && typeof this[0] !== 'function' ? [0] : this); };
      try { Array.prototype[Symbol.iterator] = swapped; } catch {}
      try { Object.defineProperty(Array.prototype, Symbol.iterator, { value: swapped }); } catch {}
      class Empty extends Array { get length() { return 0; } }
      try { Array.prototype.constructor = { [Symbol.species]: Empty }; } catch {}
      try { Object.defineProperty(Array, Symbol.species, { get: () => Empty }); } catch {}
      export const add = () => 0;
      """
    ),
  ]

  @Test(arguments: jestForgers.map(\.name))
  func `Jest's tests are not forged`(_ name: String) async throws {
    try await Self.check(Self.jestForgers, name, Self.jestTests)
  }

  static let commonForgers: [(name: String, code: String)] = [
    (
      "loads other assertions",
      """
      const Module = require('node:module');
      const nothing = new Proxy(() => {}, { get: () => () => {} });
      for (const [owner, name] of [[Module, '_load'], [Module.prototype, 'require'], [Module, '_resolveFilename']]) {
        const original = owner[name];
        try { owner[name] = function (id, ...rest) { return /assert/.test(id) ? nothing : original.call(this, id, ...rest); }; } catch {}
      }
      try { require.cache['node:assert'] = require.cache.assert = { exports: nothing }; } catch {}
      module.exports = { add: () => 0 };
      """
    ),
    (
      "looks at who calls",
      """
      function add() {
        let caller = '';
        try { caller += add.caller; } catch {}
        Error.prepareStackTrace = (_, sites) => sites;
        caller += new Error().stack[1]?.getFunction?.();
        if (/class|turned|throw/.test(caller)) throw new Error('turned');
        return 0;
      }
      module.exports = { add };
      """
    ),
  ]

  @Test(arguments: commonForgers.map(\.name))
  func `tests that load their modules late are not forged`(_ name: String) async throws {
    try await Self.check(Self.commonForgers, name, Self.commonTests)
  }

  @Test(arguments: [true, false])
  func `right code passes however its tests assert`(_ isJest: Bool) async throws {
    let code = "export const add = (a, b) => a + b;\n"
    let tests = isJest ? Self.jestTests : Self.tests
    let suite = Judging.suite("javascript", .nodeTest, "adder.test.js", tests, ids: Self.ids)
    for _ in 0..<3 {
      let report = try await Judging.report("javascript", ["adder.js": code], suite: suite)
      #expect(report.verdict == .passed, "\(report)")
    }
  }
}
