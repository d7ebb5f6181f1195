// What stands between node's own runner of tests and the code under test: loaded before either. Reads the
// token from the channel, which no other module can, and hands the reporter the only way to use it.
import { readSync, writeSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import assert from 'node:assert';
import inspector from 'node:inspector';
import v8 from 'node:v8';
import test from 'node:test';

const channel = 3;
const buffer = new Uint8Array(64);
let token = '';
while (!token.endsWith('\n')) {
  const count = readSync(channel, buffer, 0, buffer.length);
  if (count === 0) throw new Error('no token');
  for (let index = 0; index < count; index += 1) token += String.fromCharCode(buffer[index]);
}
token = token.slice(0, -1);

const { stringify } = JSON;
const write = writeSync;
function send(fields) {
  let text = token + ' ' + stringify(fields) + '\n';
  while (text.length > 0) {
    try {
      // Escapes leave ASCII only, so that a count of bytes is one of characters.
      text = text.slice(write(channel, text));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

// What could look into this module, or turn the assertions of the tests off.
const refused = () => { throw new Error('not in a test'); };
for (const [owner, names] of [
  [inspector, ['open', 'waitForDebugger']], [inspector.Session.prototype, ['connect', 'post']],
  [v8, ['getHeapSnapshot', 'writeHeapSnapshot', 'setFlagsFromString']],
  [process, ['binding', '_linkedBinding', 'dlopen']],
]) {
  for (const name of names) {
    Object.defineProperty(owner, name, { value: refused, writable: false, configurable: false });
  }
}
for (const made of [assert, assert.strict]) Object.freeze(made);
Object.freeze(JSON);
syncBuiltinESMExports();
process.execArgv = [];

// Each test shows what was written while it ran.
let written = '';
for (const stream of [process.stdout, process.stderr]) {
  const original = stream.write.bind(stream);
  stream.write = (data, ...rest) => {
    if (written.length < 500) written += String(data).slice(0, 500);
    return original(data, ...rest);
  };
}
function takeWritten() {
  const taken = written.slice(0, 500);
  written = '';
  return taken;
}

let began;
const ready = new Promise((resolve) => { began = resolve; });
globalThis.__hito = () => {
  delete globalThis.__hito;
  return { send, takeWritten, began };
};
// Makes the runner take its reporter now, before any other code is loaded.
test.before(() => {});
await ready;
