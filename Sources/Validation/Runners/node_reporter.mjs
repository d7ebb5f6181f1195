// Told by node's own runner what became of each test. It is made once, before any other code is loaded, and
// looks up nothing later that such code could have changed.
const { send, takeWritten, began } = globalThis.__hito();
const { entries } = Object;
const { round } = Math;
const { from } = Buffer;
const text = String;
const uncurried = Function.prototype.bind.bind(Function.prototype.call);
const encodedAs = uncurried(Buffer.prototype.toString);
const slice = uncurried(String.prototype.slice);
let isUsed = false;

export default async function* report(source) {
  if (isUsed) throw new Error('not in a test');
  isUsed = true;
  began();
  let path = null; // of the test that began last: its name, its depth and what it is in
  const seen = { __proto__: null };
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      while (path !== null && path.nesting >= data.nesting) path = path.parent;
      path = { __proto__: null, name: data.name, nesting: data.nesting, parent: path };
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    let id = data.name;
    for (let parent = path; parent !== null; parent = parent.parent) {
      if (parent.nesting < data.nesting) id = `${parent.name} > ${id}`;
    }
    if (data.details?.type === 'suite') {
      if (type === 'test:fail' && data.details.error?.failureType !== 'subtestsFailed') {
        tell({ suite: id, ...why(data) });
      }
      continue;
    }
    const count = (seen[id] ?? 0) + 1;
    seen[id] = count;
    if (count > 1) id += ` #${count}`;
    const isSkipped = data.skip !== undefined || data.todo !== undefined;
    tell({
      test: id, status: isSkipped ? 'error' : type === 'test:pass' ? 'pass' : 'fail',
      us: round((data.details?.duration_ms ?? 0) * 1000), output: takeWritten(),
      ...(isSkipped ? { message: 'skipped' } : why(data)),
    });
  }
}

function why(data) {
  const error = data.details?.error;
  if (!error) return { message: '' };
  const cause = error.cause ?? error;
  const isAssertion = cause?.code === 'ERR_ASSERTION' || cause?.name === 'AssertionError';
  const head = cause?.message !== undefined ? `${text(cause.name ?? 'Error')}: ${text(cause.message)}` : text(cause);
  return {
    message: slice(head, 0, 4000), stack: slice(text(cause?.stack ?? ''), -4000), error: !isAssertion,
  };
}

// Text as base64, so that a line is ASCII whatever a test is called.
function tell(fields) {
  const encoded = { __proto__: null };
  const all = entries(fields);
  for (let index = 0; index < all.length; index += 1) {
    const key = all[index][0];
    const value = all[index][1];
    encoded[key] = typeof value === 'string' ? encodedAs(from(value, 'utf8'), 'base64') : value;
  }
  send(encoded);
}
