// What stands between node's own runner of tests and the code under test: loaded before either, with
// node_turned.mjs at its head. Reads the token and what to turn around from the channel, which no other module
// can, and hands the reporter the only way to use it.
import { readSync, writeSync } from 'node:fs';
import Module, { syncBuiltinESMExports } from 'node:module';
import asyncHooks from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import inspector from 'node:inspector';
import stream from 'node:stream';
import v8 from 'node:v8';
import test from 'node:test';

const channel = 3;
const buffer = new Uint8Array(65536);
const decoder = new TextDecoder();
let given = '';
while (!given.endsWith('\n')) {
  const count = readSync(channel, buffer, 0, buffer.length);
  if (count === 0) throw new Error('no token');
  given += decoder.decode(buffer.subarray(0, count), { stream: true });
}
const { token, ...judged } = JSON.parse(given);
given = '';
buffer.fill(0);
judge(judged);

const { stringify } = JSON;
const write = writeSync;
const toText = String;
const slice = Function.prototype.call.bind(String.prototype.slice);
function send(fields) {
  let text = token + ' ' + stringify(fields) + '\n';
  while (text.length > 0) {
    try {
      // Escapes leave ASCII only, so that a count of bytes is one of characters.
      text = slice(text, write(channel, text));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

// What could look into this module, or turn the assertions of the tests off.
const refused = () => { throw new Error('not in a test'); };
for (const [owner, names] of [
  [inspector, ['open', 'waitForDebugger']], [inspector.Session.prototype, ['connect', 'post']],
  [v8, ['getHeapSnapshot', 'writeHeapSnapshot', 'setHeapSnapshotNearHeapLimit', 'setFlagsFromString']],
  [process, ['binding', '_linkedBinding', 'dlopen', '_debugProcess']],
  // They hand out the runner's own tests, whose results could then be set.
  [asyncHooks, ['executionAsyncResource', 'createHook']],
]) {
  for (const name of names) {
    Object.defineProperty(owner, name, { value: refused, writable: false, configurable: false });
  }
}
for (const one of [test, JSON, Module]) freeze(one);

// By these the results of tests come from node's runner to the reporter: nobody takes their place. An object
// that inherits from them may have methods of its own, as ever.
const { getOwnPropertyDescriptor } = Object;
function lock(owner, names) {
  for (const name of names) {
    const { value, enumerable } = getOwnPropertyDescriptor(owner, name) ?? {};
    if (typeof value !== 'function' || name === 'constructor') continue;
    defineProperty(owner, name, {
      get: () => value,
      set(own) {
        if (this === owner) refused();
        defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true });
      },
      enumerable, configurable: false,
    });
  }
}
for (const one of [
  Module, EventEmitter, stream.Stream, stream.Readable, stream.Writable, stream.Duplex, stream.Transform, stream.PassThrough,
  asyncHooks.AsyncResource, Promise,
]) {
  lock(one.prototype, ownKeys(one.prototype));
}
// Whoever had every object for a promise would be handed the results on their way to the reporter.
defineProperty(Object.prototype, 'then', {
  get: () => undefined,
  set(own) {
    if (this === Object.prototype) refused();
    defineProperty(this, 'then', { value: own, writable: true, enumerable: true, configurable: true });
  },
  enumerable: false, configurable: false,
});
lock(Array.prototype, ['push', 'pop', 'shift', 'unshift', 'slice', 'splice', 'includes', 'indexOf']);
const fixed = { writable: false, configurable: false };
for (const name of ['call', 'apply', 'bind']) defineProperty(Function.prototype, name, fixed);
const generators = getPrototypeOf(getPrototypeOf(async function* () {}.prototype));
for (const name of ['next', 'return', 'throw']) defineProperty(generators, name, fixed);
// By these values are handed on and compared.
const arrays = getPrototypeOf([][Symbol.iterator]());
defineProperty(Array.prototype, Symbol.iterator, fixed);
defineProperty(arrays, 'next', fixed);
for (const one of [Array, Promise]) defineProperty(one, Symbol.species, { configurable: false });
for (const one of [Array, Promise]) defineProperty(one.prototype, 'constructor', fixed);
for (const one of [Map, Set]) {
  defineProperty(one.prototype, Symbol.iterator, fixed);
  defineProperty(getPrototypeOf(new one()[Symbol.iterator]()), 'next', fixed);
}
lock(RegExp.prototype, ['exec', 'test']);
// What an error is an instance of, no error says itself.
const isInstance = Function.prototype[Symbol.hasInstance];
for (const one of [
  Error, AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, Date, RegExp, Map, Set,
]) {
  defineProperty(one, Symbol.hasInstance, { value: isInstance });
}
syncBuiltinESMExports();
process.execArgv = [];

// Each test shows what was written while it ran.
let written = '';
for (const stream of [process.stdout, process.stderr]) {
  const original = stream.write.bind(stream);
  stream.write = (data, ...rest) => {
    if (written.length < 500) written += slice(toText(data), 0, 500);
    return original(data, ...rest);
  };
}
function takeWritten() {
  const taken = slice(written, 0, 500);
  written = '';
  return taken;
}

let began;
const ready = new Promise((resolve) => { began = resolve; });
globalThis.__hito = () => {
  delete globalThis.__hito;
  return { send, takeWritten, began };
};
if (judged.isJest) {
  globalThis.__hitoJest = () => {
    delete globalThis.__hitoJest;
    return { isTurned, never };
  };
}
// Makes the runner take its reporter now, before any other code is loaded.
test.before(() => {});
await ready;
