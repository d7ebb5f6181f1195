// What tests written for Jest use, over node's own runner of tests.
import { AssertionError } from 'node:assert';
import { after, afterEach, before, beforeEach, describe, mock, test } from 'node:test';
import { inspect } from 'node:util';

const shown = (value) => inspect(value, { depth: 6, breakLength: 100 });
const isObject = (value) => typeof value === 'object' && value !== null;
const isMatcher = (value) => isObject(value) && typeof value.asymmetricMatch === 'function';

/** Jest's equality: `undefined` members do not count unless `strict`; types count where it is. */
function equal(left, right, strict = false, seen = new Map()) {
  if (isMatcher(right)) return right.asymmetricMatch(left);
  if (isMatcher(left)) return left.asymmetricMatch(right);
  if (Object.is(left, right)) return true;
  if (!isObject(left) || !isObject(right)) return false;
  if (seen.get(left) === right) return true;
  seen.set(left, right);
  const tag = Object.prototype.toString.call(left);
  if (tag !== Object.prototype.toString.call(right)) return false;
  if (strict && Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  if (left instanceof Date) return Object.is(left.getTime(), right.getTime());
  if (left instanceof RegExp) return String(left) === String(right);
  if (left instanceof Error) return left.message === right.message && left.name === right.name;
  if (/^\[object (Number|String|Boolean|BigInt)\]$/.test(tag)) return Object.is(left.valueOf(), right.valueOf());
  if (left instanceof Set || left instanceof Map) {
    if (left.size !== right.size) return false;
    const rest = [...right];
    return [...left].every((item) => {
      const index = rest.findIndex((other) => equal(item, other, strict, new Map(seen)));
      if (index >= 0) rest.splice(index, 1);
      return index >= 0;
    });
  }
  if (Array.isArray(left) || ArrayBuffer.isView(left)) {
    if (left.length !== right.length) return false;
    for (let index = 0; index < left.length; index += 1) {
      if (strict && (index in left) !== (index in right)) return false;
      if (!equal(left[index], right[index], strict, seen)) return false;
    }
    return true;
  }
  const keys = (value) => Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key) && (strict || value[key] !== undefined));
  const [ours, theirs] = [keys(left), keys(right)];
  return ours.length === theirs.length && ours.every((key) =>
    Object.hasOwn(right, key) && equal(left[key], right[key], strict, seen));
}

function contains(whole, part) {
  if (isMatcher(part)) return part.asymmetricMatch(whole);
  if (Array.isArray(part)) {
    return Array.isArray(whole) && whole.length === part.length
      && part.every((item, index) => contains(whole[index], item));
  }
  if (isObject(part) && !(part instanceof Date) && !(part instanceof Set) && !(part instanceof Map)) {
    return isObject(whole) && Object.keys(part).every((key) => key in whole && contains(whole[key], part[key]));
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
  if (typeof wanted === 'string') return String(error?.message ?? error).includes(wanted);
  if (wanted instanceof RegExp) return wanted.test(String(error?.message ?? error));
  if (typeof wanted === 'function') return error instanceof wanted;
  return isMatcher(wanted) ? wanted.asymmetricMatch(error) : error?.message === wanted.message;
}

const valueAt = (value, path) => {
  const names = Array.isArray(path) ? path : String(path).split(/[.[\]]+/).filter(Boolean);
  return names.reduce((found, name) => (found && name in Object(found.value)
    ? { value: found.value[name] } : null), { value });
};
const calls = (received) => {
  const made = received?.mock?.calls;
  if (!made) throw new TypeError(`${shown(received)} is not a mock function`);
  return [...made].map((call) => call.arguments ?? call);
};

const matchers = {
  toBe: (got, wanted) => Object.is(got, wanted),
  toEqual: (got, wanted) => equal(got, wanted),
  toStrictEqual: (got, wanted) => equal(got, wanted, true),
  toBeTruthy: (got) => Boolean(got),
  toBeFalsy: (got) => !got,
  toBeNull: (got) => got === null,
  toBeUndefined: (got) => got === undefined,
  toBeDefined: (got) => got !== undefined,
  toBeNaN: (got) => Number.isNaN(got),
  toBeCloseTo: (got, wanted, digits = 2) => got === wanted || Math.abs(got - wanted) < 10 ** -digits / 2,
  toBeGreaterThan: (got, wanted) => got > wanted,
  toBeGreaterThanOrEqual: (got, wanted) => got >= wanted,
  toBeLessThan: (got, wanted) => got < wanted,
  toBeLessThanOrEqual: (got, wanted) => got <= wanted,
  toContain: (got, wanted) => (typeof got === 'string' ? got.includes(wanted) : [...got].includes(wanted)),
  toContainEqual: (got, wanted) => [...got].some((item) => equal(item, wanted)),
  toHaveLength: (got, wanted) => got?.length === wanted,
  toHaveProperty: (got, path, ...wanted) => {
    const found = valueAt(got, path);
    return found !== null && (wanted.length === 0 || equal(found.value, wanted[0]));
  },
  toMatch: (got, wanted) => (wanted instanceof RegExp ? wanted.test(got) : String(got).includes(wanted)),
  toMatchObject: (got, wanted) => contains(got, wanted),
  toBeInstanceOf: (got, wanted) => got instanceof wanted,
  toHaveBeenCalled: (got) => calls(got).length > 0,
  toHaveBeenCalledTimes: (got, wanted) => calls(got).length === wanted,
  toHaveBeenCalledWith: (got, ...wanted) => calls(got).some((made) => equal(made, wanted)),
  toHaveBeenLastCalledWith: (got, ...wanted) => equal(calls(got).at(-1), wanted),
};

function judge(name, got, wanted, isNot, isError) {
  let holds;
  let actual = got;
  if (name === 'toThrow' || name === 'toThrowError') {
    const found = thrown(got, isError);
    holds = found !== null && isThrown(found.error, wanted[0]);
    actual = found === null ? 'nothing thrown' : found.error;
  } else {
    holds = matchers[name](got, ...wanted);
  }
  if (holds !== isNot) return;
  const message = wanted.length > 0
    ? `${name}: expected ${isNot ? 'not ' : ''}${wanted.map(shown).join(', ')}, got ${shown(actual)}`
    : `${isNot ? 'not.' : ''}${name}: got ${shown(actual)}`;
  throw new AssertionError({ message, actual, expected: wanted[0], operator: name });
}

const names = [...Object.keys(matchers), 'toThrow', 'toThrowError'];

function chain(take) {
  const made = {};
  for (const name of names) made[name] = (...wanted) => take(name, wanted);
  return Object.freeze(made);
}

function promised(got, isNot, isRejected) {
  return chain(async (name, wanted) => {
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
    judge(name, value, wanted, isNot, isRejected);
  });
}

export function expect(got) {
  const not = { ...chain((name, wanted) => judge(name, got, wanted, true, false)) };
  const made = { ...chain((name, wanted) => judge(name, got, wanted, false, false)), not };
  for (const [owner, isNot] of [[made, false], [not, true]]) {
    owner.resolves = { ...promised(got, isNot, false), not: promised(got, !isNot, false) };
    owner.rejects = { ...promised(got, isNot, true), not: promised(got, !isNot, true) };
  }
  return made;
}

const matcher = (asymmetricMatch) => Object.freeze({ asymmetricMatch });
const inverse = {};
for (const [name, make] of Object.entries({
  stringContaining: (part) => (got) => typeof got === 'string' && got.includes(part),
  stringMatching: (pattern) => (got) => typeof got === 'string' && new RegExp(pattern).test(got),
  arrayContaining: (items) => (got) => Array.isArray(got)
    && items.every((item) => got.some((other) => equal(other, item))),
  objectContaining: (part) => (got) => isObject(got)
    && Object.keys(part).every((key) => key in got && equal(got[key], part[key])),
})) {
  expect[name] = (wanted) => matcher(make(wanted));
  inverse[name] = (wanted) => matcher((got) => !make(wanted)(got));
}
expect.not = inverse;
expect.anything = () => matcher((got) => got !== null && got !== undefined);
expect.any = (type) => matcher((got) => got instanceof type
  || typeof got === type.name.toLowerCase());
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
