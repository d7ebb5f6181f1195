// Told by node's own runner what became of each test. It is made once, before any other code is loaded.
const { send, takeWritten, began } = globalThis.__hito();
let isUsed = false;

export default async function* report(source) {
  if (isUsed) throw new Error('not in a test');
  isUsed = true;
  began();
  const path = [];
  const seen = new Map();
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      path.length = data.nesting;
      path.push(data.name);
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') {
      if (type === 'test:fail' && data.details.error?.failureType !== 'subtestsFailed') {
        tell({ suite: [...path.slice(0, data.nesting), data.name].join(' > '), ...why(data) });
      }
      continue;
    }
    let id = [...path.slice(0, data.nesting), data.name].join(' > ');
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    if (count > 1) id += ` #${count}`;
    const isSkipped = data.skip !== undefined || data.todo !== undefined;
    tell({
      test: id, status: isSkipped ? 'error' : type === 'test:pass' ? 'pass' : 'fail',
      us: Math.round((data.details?.duration_ms ?? 0) * 1000), output: takeWritten(),
      ...(isSkipped ? { message: 'skipped' } : why(data)),
    });
  }
}

function why(data) {
  const error = data.details?.error;
  if (!error) return { message: '' };
  const cause = error.cause ?? error;
  const isAssertion = cause?.code === 'ERR_ASSERTION' || cause?.name === 'AssertionError';
  const head = cause?.message !== undefined ? `${cause.name ?? 'Error'}: ${cause.message}` : String(cause);
  return {
    message: head.slice(0, 4000), stack: String(cause?.stack ?? '').slice(-4000),
    error: !isAssertion,
  };
}

// Text as base64, so that a line is ASCII whatever a test is called.
function tell(fields) {
  const encoded = {};
  for (const [key, value] of Object.entries(fields)) {
    encoded[key] = typeof value === 'string' ? Buffer.from(value, 'utf8').toString('base64') : value;
  }
  send(encoded);
}
