// What tests written for Jest use, over node's own runner of tests.
import { AssertionError } from 'node:assert';
import { after, afterEach, before, beforeEach, describe, mock, test } from 'node:test';
import { inspect } from 'node:util';

const { isTurned, never } = globalThis.__hitoJest();

// What values are compared with is taken now: code under test could put something else in its place.
const uncurried = Function.prototype.bind.bind(Function.prototype.call);
const { is, getPrototypeOf, hasOwn, keys: namesOf } = Object;
const { apply, ownKeys } = Reflect;
const { isArray } = Array;
const { isView } = ArrayBuffer;
const { abs } = Math;
const { isNaN } = Number;
const text = String;
const [every, some, filter, map, findIndex, splice, holdsItem, reduce] = [
  'every', 'some', 'filter', 'map', 'findIndex', 'splice', 'includes', 'reduce',
].map((name) => uncurried(Array.prototype[name]));
const [hasText, split, lower] = ['includes', 'split', 'toLowerCase'].map((name) => uncurried(String.prototype[name]));
const [tagOf, isEnumerable] = ['toString', 'propertyIsEnumerable'].map((name) => uncurried(Object.prototype[name]));
const timeOf = uncurried(Date.prototype.getTime);
const fits = uncurried(RegExp.prototype.test);
const own = { __proto__: null, matchers: new WeakSet() };
const [isOwn, addOwn] = ['has', 'add'].map((name) => uncurried(WeakSet.prototype[name]));
const [seenWith, see, copyOf] = [uncurried(Map.prototype.get), uncurried(Map.prototype.set), (seen) => new Map(seen)];

const shown = (value) => (value instanceof Error ? `[${value.name}: ${value.message}]`
  : inspect(value, { depth: 6, breakLength: 100 }));
const isObject = (value) => typeof value === 'object' && value !== null;
// Only what is expected may be a matcher: an answer has no say in what it is equal to.
const isMatcher = (value) => isObject(value) && isOwn(own.matchers, value);

/** Jest's equality: `undefined` members do not count unless `strict`; types count where it is. */
function equal(left, right, strict = false, seen = new Map()) {
  if (isMatcher(right)) return right.asymmetricMatch(left);
  if (is(left, right)) return true;
  if (!isObject(left) || !isObject(right)) return false;
  if (seenWith(seen, left) === right) return true;
  see(seen, left, right);
  const tag = tagOf(left);
  if (tag !== tagOf(right)) return false;
  if (strict && getPrototypeOf(left) !== getPrototypeOf(right)) return false;
  if (right instanceof Date) return left instanceof Date && is(timeOf(left), timeOf(right));
  if (right instanceof RegExp) return text(left) === text(right);
  if (right instanceof Error) return left.message === right.message && left.name === right.name;
  if (/^\[object (Number|String|Boolean|BigInt)\]$/.test(tag)) return is(left.valueOf(), right.valueOf());
  if (right instanceof Set || right instanceof Map) {
    if (left.size !== right.size) return false;
    const rest = [...right];
    return every([...left], (item) => {
      const index = findIndex(rest, (other) => equal(item, other, strict, copyOf(seen)));
      if (index >= 0) splice(rest, index, 1);
      return index >= 0;
    });
  }
  if (isArray(right) || isView(right)) {
    if (left.length !== right.length) return false;
    for (let index = 0; index < right.length; index += 1) {
      if (strict && (index in left) !== (index in right)) return false;
      if (!equal(left[index], right[index], strict, seen)) return false;
    }
    return true;
  }
  const keys = (value) => filter(ownKeys(value), (key) => isEnumerable(value, key) && (strict || value[key] !== undefined));
  const theirs = keys(right);
  return keys(left).length === theirs.length && every(theirs, (key) =>
    hasOwn(left, key) && equal(left[key], right[key], strict, seen));
}

function contains(whole, part) {
  if (isMatcher(part)) return part.asymmetricMatch(whole);
  if (isArray(part)) {
    return isArray(whole) && whole.length === part.length
      && every(part, (item, index) => contains(whole[index], item));
  }
  if (isObject(part) && !(part instanceof Date) && !(part instanceof Set) && !(part instanceof Map)) {
    return isObject(whole) && every(namesOf(part), (key) => key in whole && contains(whole[key], part[key]));
  }
  return equal(whole, part);
}

function thrown(received, isError) {
  if (isError) return { error: received };
  if (typeof received !== 'function') throw new TypeError(`toThrow needs a function, got ${shown(received)}`);
  try {
    received();
  } catch (error) {
    return { error };
  }
  return null;
}

function isThrown(error, wanted) {
  if (wanted === undefined) return true;
  const message = text(error?.message ?? error);
  if (typeof wanted === 'string') return hasText(message, wanted);
  if (wanted instanceof RegExp) return fits(wanted, message);
  if (typeof wanted === 'function') return error instanceof wanted;
  return isMatcher(wanted) ? wanted.asymmetricMatch(error) : error?.message === wanted.message;
}

const valueAt = (value, path) => {
  const names = isArray(path) ? path : filter(split(text(path), /[.[\]]+/), (name) => name !== '');
  return reduce(names, (found, name) => (found && name in Object(found.value)
    ? { value: found.value[name] } : null), { value });
};
const calls = (received) => {
  const made = received?.mock?.calls;
  if (!made) throw new TypeError(`${shown(received)} is not a mock function`);
  return map(made, (call) => call.arguments ?? call);
};

const matchers = {
  toBe: (got, wanted) => is(got, wanted),
  toEqual: (got, wanted) => equal(got, wanted),
  toStrictEqual: (got, wanted) => equal(got, wanted, true),
  toBeTruthy: (got) => Boolean(got),
  toBeFalsy: (got) => !got,
  toBeNull: (got) => got === null,
  toBeUndefined: (got) => got === undefined,
  toBeDefined: (got) => got !== undefined,
  toBeNaN: (got) => isNaN(got),
  toBeCloseTo: (got, wanted, digits = 2) => got === wanted || abs(got - wanted) < 10 ** -digits / 2,
  toBeGreaterThan: (got, wanted) => got > wanted,
  toBeGreaterThanOrEqual: (got, wanted) => got >= wanted,
  toBeLessThan: (got, wanted) => got < wanted,
  toBeLessThanOrEqual: (got, wanted) => got <= wanted,
  toContain: (got, wanted) => (typeof got === 'string' ? hasText(got, wanted) : holdsItem([...got], wanted)),
  toContainEqual: (got, wanted) => some([...got], (item) => equal(item, wanted)),
  toHaveLength: (got, wanted) => got?.length === wanted,
  toHaveProperty: (got, path, ...wanted) => {
    const found = valueAt(got, path);
    return found !== null && (wanted.length === 0 || equal(found.value, wanted[0]));
  },
  toMatch: (got, wanted) => (wanted instanceof RegExp ? fits(wanted, got) : hasText(text(got), wanted)),
  toMatchObject: (got, wanted) => contains(got, wanted),
  toBeInstanceOf: (got, wanted) => got instanceof wanted,
  toHaveBeenCalled: (got) => calls(got).length > 0,
  toHaveBeenCalledTimes: (got, wanted) => calls(got).length === wanted,
  toHaveBeenCalledWith: (got, ...wanted) => some(calls(got), (made) => equal(made, wanted)),
  toHaveBeenLastCalledWith: (got, ...wanted) => {
    const made = calls(got);
    return equal(made[made.length - 1], wanted);
  },
};

/** - way: {isNot, isError, isTurned}: a matcher that is turned around never holds, for any answer. */
function judge(name, got, wanted, { isNot, isError, isTurned: turned }) {
  if (turned) {
    wanted = [never()];
    isNot = false;
  }
  let holds;
  let actual = got;
  if (name === 'toThrow' || name === 'toThrowError') {
    const found = thrown(got, isError);
    holds = found !== null && isThrown(found.error, wanted[0]);
    actual = found === null ? 'nothing thrown' : found.error;
  } else {
    holds = apply(matchers[name], undefined, [got, ...wanted]);
    if (turned && alone[name]) holds = false;
  }
  if (holds !== isNot) return;
  const message = wanted.length > 0
    ? `${name}: expected ${isNot ? 'not ' : ''}${map(wanted, shown).join(', ')}, got ${shown(actual)}`
    : `${isNot ? 'not.' : ''}${name}: got ${shown(actual)}`;
  throw new AssertionError({ message, actual, expected: wanted[0], operator: name });
}

const names = [...Object.keys(matchers), 'toThrow', 'toThrowError'];
// They compare with nothing that could be replaced.
const alone = { __proto__: null };
for (const name of names) {
  if (/^toBe(Truthy|Falsy|Null|Undefined|Defined|NaN)$|^toHaveBeenCalled$|^toHaveProperty$/.test(name)) alone[name] = true;
}

function chain(take) {
  const made = {};
  for (const name of names) {
    made[name] = function called(...wanted) { return take(name, wanted, isTurned(called)); };
  }
  return Object.freeze(made);
}

function promised(got, isNot, isRejected) {
  return chain(async (name, wanted, turned) => {
    let value;
    let hasFailed = false;
    try {
      value = await (typeof got === 'function' ? got() : got);
    } catch (error) {
      value = error;
      hasFailed = true;
    }
    if (hasFailed !== isRejected) {
      throw new AssertionError({ message: `the promise was ${hasFailed ? 'rejected' : 'resolved'} with ${shown(value)}` });
    }
    judge(name, value, wanted, { isNot, isError: isRejected, isTurned: turned });
  });
}

const direct = (got, isNot) => chain((name, wanted, turned) =>
  judge(name, got, wanted, { isNot, isError: false, isTurned: turned }));

export function expect(got) {
  const not = { ...direct(got, true) };
  const made = { ...direct(got, false), not };
  for (const [owner, isNot] of [[made, false], [not, true]]) {
    owner.resolves = { ...promised(got, isNot, false), not: promised(got, !isNot, false) };
    owner.rejects = { ...promised(got, isNot, true), not: promised(got, !isNot, true) };
  }
  return made;
}

const matcher = (asymmetricMatch) => {
  const made = Object.freeze({ asymmetricMatch });
  addOwn(own.matchers, made);
  return made;
};
const inverse = {};
for (const [name, make] of Object.entries({
  stringContaining: (part) => (got) => typeof got === 'string' && hasText(got, part),
  stringMatching: (pattern) => (got) => typeof got === 'string' && fits(new RegExp(pattern), got),
  arrayContaining: (items) => (got) => isArray(got)
    && every(items, (item) => some(got, (other) => equal(other, item))),
  objectContaining: (part) => (got) => isObject(got)
    && every(namesOf(part), (key) => key in got && equal(got[key], part[key])),
})) {
  expect[name] = (wanted) => matcher(make(wanted));
  inverse[name] = (wanted) => matcher((got) => !make(wanted)(got));
}
expect.not = Object.freeze(inverse);
expect.anything = () => matcher((got) => got !== null && got !== undefined);
expect.any = (type) => matcher((got) => got instanceof type
  || typeof got === lower(type.name));
expect.closeTo = (wanted, digits) => matcher((got) => matchers.toBeCloseTo(got, wanted, digits));
expect.assertions = () => {};
expect.hasAssertions = () => {};
Object.freeze(expect);

// Jest gives a test a `done` where it takes an argument; node passes its context first.
const body = (run) => {
  if (typeof run !== 'function' || run.length === 0) return run && (() => run());
  return (context, done) => run(Object.assign((error) => done(error), { fail: done }));
};

function title(text, row, index) {
  const values = Array.isArray(row) ? [...row] : [row];
  if (!Array.isArray(row) && isObject(row)) text = text.replace(/\$(\w+)/g, (_, key) => shown(row[key]));
  return text.replace(/%[sdifjop#%]/g, (mark) => {
    if (mark === '%%') return '%';
    if (mark === '%#') return String(index);
    const value = values.shift();
    return mark === '%s' || mark === '%d' || mark === '%i' ? String(value) : shown(value);
  });
}

function withVariants(make, options) {
  const one = (name, run, timeout) => make(String(name), { ...options, timeout }, body(run));
  one.each = (rows) => (name, run) => rows.forEach((row, index) => {
    const values = Array.isArray(row) ? row : [row];
    make(title(String(name), row, index), options, () => run(...values));
  });
  return one;
}

function family(make) {
  const all = withVariants(make, {});
  all.skip = withVariants(make, { skip: true });
  all.only = withVariants(make, {});
  all.todo = (name) => make(String(name), { todo: true });
  return Object.freeze(all);
}

const testFamily = family(test);
const describeFamily = family(describe);
const fn = (implementation) => {
  const made = mock.fn(implementation);
  made.mockReturnValue = (value) => { made.mock.mockImplementation(() => value); return made; };
  made.mockImplementation = (next) => { made.mock.mockImplementation(next); return made; };
  return made;
};
const jest = Object.freeze({
  fn,
  spyOn: (owner, name) => {
    const made = mock.method(owner, name);
    const spy = owner[name];
    spy.mockImplementation = (next) => { made.mock.mockImplementation(next); return spy; };
    spy.mockReturnValue = (value) => spy.mockImplementation(() => value);
    spy.mockRestore = () => made.mock.restore();
    return spy;
  },
  restoreAllMocks: () => mock.restoreAll(),
});

const globals = {
  expect, jest, test: testFamily, it: testFamily, xtest: testFamily.skip, xit: testFamily.skip,
  describe: describeFamily, xdescribe: describeFamily.skip, beforeAll: (run) => before(body(run)),
  afterAll: (run) => after(body(run)), beforeEach: (run) => beforeEach(body(run)),
  afterEach: (run) => afterEach(body(run)),
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, writable: false, configurable: false });
}
