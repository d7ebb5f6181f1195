// Turns assertions around: loaded before the code under test, and given the places of the assertions of each
// test by node_preload.mjs, which follows on this. A place is where a call stands in the text of the tests; that text is the same
// whether a test is turned around or not, and which of them are is known here only.
import assert, { AssertionError } from 'node:assert';

const { apply, ownKeys } = Reflect;
const { defineProperty, freeze, getPrototypeOf } = Object;
const { captureStackTrace } = Error;
const uncurried = Function.prototype.bind.bind(Function.prototype.call);

// Code under test may say how stacks are shown, as ever, but not in the place of what is asked here.
let shownBy;
let isAsking = false;
const asked = (_, sites) => sites[0];
defineProperty(Error, 'prepareStackTrace', {
  get: () => (isAsking ? asked : shownBy),
  set(value) { shownBy = value; },
  configurable: false,
});
defineProperty(Error, 'stackTraceLimit', { value: 10, writable: true, configurable: false });
defineProperty(globalThis, 'Error', { value: Error, writable: false, configurable: false });

/** Where a function was called. */
function caller(called) {
  const { stackTraceLimit } = Error;
  const taken = {};
  isAsking = true;
  try {
    Error.stackTraceLimit = 1;
    captureStackTrace(taken, called);
    return taken.stack;
  } finally {
    isAsking = false;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const sitePrototype = getPrototypeOf(caller(null));
const [fileOf, lineOf, columnOf, hashOf] = ['getFileName', 'getLineNumber', 'getColumnNumber', 'getScriptHash'].map(
  (name) => uncurried(sitePrototype[name]));

const fits = uncurried(RegExp.prototype.test);

let names;
let hash;
const tests = { __proto__: null };

/** - judged: {"names" of the file of tests, "hash" of its text, "tests": [{"places", "end", "isSure", "isTurned"}]} */
function judge(judged) {
  names = judged.names;
  hash = judged.hash;
  for (const { places, end, isSure, isTurned } of judged.tests) {
    const test = { __proto__: null, isSure, isTurned: isTurned === 1, count: 0 };
    for (const place of places) tests[place] = test;
    if (end !== null) tests[end] = test;
  }
}

function testAt(called) {
  const site = caller(called);
  if (typeof site !== 'object' || site === null) throw new AssertionError({ message: 'nothing says which test this is' });
  const file = fileOf(site);
  if (file !== names[0] && file !== names[1]) return null;
  const test = tests[`${lineOf(site)}:${columnOf(site)}`];
  // A program of another text may give itself the name of the tests.
  return test && hashOf(site) === hash ? test : null;
}

/** Whether the assertion that was called is to be turned around: asked by what `called` is. */
function isTurned(called) {
  const test = testAt(called);
  if (!test) return false;
  test.count += 1;
  return test.isTurned;
}

/** A value that nothing is equal to, and that nothing is an instance of. */
const never = () => class {};
const fail = (message) => { throw new AssertionError({ message }); };

defineProperty(globalThis, '__endOfTest', {
  value: function endOfTest() {
    const test = testAt(endOfTest);
    if (!test) return;
    const { count } = test;
    test.count = 0;
    // An assertion was turned around and held, or it is not known whether one had to be met.
    if (count === 0 && (test.isTurned || test.isSure)) fail('this test ended without its assertions');
  },
  writable: false, configurable: false,
});

const opposites = {
  __proto__: null,
  notEqual: 'equal', notStrictEqual: 'strictEqual', notDeepEqual: 'deepEqual', notDeepStrictEqual: 'deepStrictEqual',
};
const equalities = { __proto__: null, equal: 1, strictEqual: 1, deepEqual: 1, deepStrictEqual: 1, throws: 1, rejects: 1 };

function turned(name, originals, values) {
  const other = opposites[name] ?? (name === 'doesNotThrow' ? 'throws' : name === 'doesNotReject' ? 'rejects' : name);
  if (equalities[other]) return originals[other](values[0], never());
  if (name === 'ok') return originals.ok(false, values[1]);
  return fail(`${name} was turned around`);
}

/** As node's: that one asks whether it is what stands there by its name. */
function match(value, pattern, message) {
  if (typeof value === 'string' && pattern instanceof RegExp && fits(pattern, value)) return;
  if (message instanceof Error) throw message;
  const shown = typeof value === 'string' ? value : typeof value;
  fail(message ?? `The input did not match the regular expression ${pattern}. Input: ${shown}`);
}

const made = new Map();
const originalsOf = new Map();
for (const owner of [assert, assert.strict]) {
  const originals = { __proto__: null };
  originalsOf.set(owner, originals);
  for (const name of ownKeys(owner)) {
    if (typeof owner[name] === 'function' && /^[a-z]/.test(name) && name !== 'strict') originals[name] = owner[name];
    if (name === 'match') originals[name] = match;
  }
}
for (const [owner, originals] of originalsOf) {
  for (const name of ownKeys(originals)) {
    const original = originals[name];
    if (!made.has(original)) {
      const wrapper = {
        [name](...values) {
          return isTurned(wrapper) ? turned(original.name, originals, values) : apply(original, this, values);
        },
      }[name];
      made.set(original, wrapper);
    }
    owner[name] = made.get(original);
  }
}
for (const owner of [assert, assert.strict]) freeze(owner);
