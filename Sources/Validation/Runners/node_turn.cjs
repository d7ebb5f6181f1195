// Turns the last assertion of each test around (see turned.py): reads {"files": [{"path", "source"}]},
// writes for each file two texts, and in which of the two each test is turned around.
'use strict';
const { randomInt } = require('node:crypto');
const { Parser } = require('internal/deps/acorn/acorn/dist/acorn');

const OPPOSITES = new Map();
for (const [one, other] of [
  ['equal', 'notEqual'], ['strictEqual', 'notStrictEqual'], ['deepEqual', 'notDeepEqual'],
  ['deepStrictEqual', 'notDeepStrictEqual'], ['throws', 'doesNotThrow'], ['match', 'doesNotMatch'],
  ['rejects', 'doesNotReject'],
]) {
  OPPOSITES.set(one, other);
  OPPOSITES.set(other, one);
}
const isFunction = (node) => /^(ArrowFunction|Function)Expression$/.test(node?.type ?? '');

/** Edits that turn the last assertion of a test's function around; nil where nothing can be said. */
function turned(body, source) {
  if (body.type !== 'BlockStatement') return assertion(body, source) ?? null;
  if (returns(body)) return null;
  for (const statement of [...body.body].reverse()) {
    if (statement.type !== 'ExpressionStatement') continue;
    const edits = assertion(statement.expression, source);
    if (edits) return edits;
  }
  return [[body.end - 1, body.end - 1, ";throw new Error('turned around');"]];
}

function assertion(node, source) {
  const call = node.type === 'AwaitExpression' ? node.argument : node;
  if (call.type !== 'CallExpression') return null;
  const { callee } = call;
  if (callee.type === 'Identifier' && callee.name === 'assert' && call.arguments.length > 0) {
    return negated(call.arguments[0]);
  }
  if (callee.type !== 'MemberExpression' || callee.computed) return null;
  if (callee.object.type === 'Identifier' && /^(assert|strict)$/.test(callee.object.name)) {
    const opposite = OPPOSITES.get(callee.property.name);
    if (opposite) return [[callee.property.start, callee.property.end, opposite]];
    return callee.property.name === 'ok' && call.arguments.length > 0
      ? negated(call.arguments[0]) : null;
  }
  for (let inner = callee.object; inner; inner = inner.type === 'CallExpression' ? inner.callee : inner.object) {
    if (inner.type === 'MemberExpression' && !inner.computed && inner.property.name === 'not') {
      return isExpect(inner.object) ? [[inner.object.end, inner.end, '']] : null;
    }
    if (isExpect(inner)) return [[callee.object.end, callee.object.end, '.not']];
    if (inner.type !== 'MemberExpression' && inner.type !== 'CallExpression') return null;
  }
  return null;
}

function isExpect(node) {
  let inner = node;
  while (inner.type === 'MemberExpression' && /^(resolves|rejects)$/.test(inner.property.name)) {
    inner = inner.object;
  }
  return inner.type === 'CallExpression' && inner.callee.type === 'Identifier'
    && inner.callee.name === 'expect';
}

const negated = (node) => [[node.start, node.start, '!('], [node.end, node.end, ')']];

function returns(node) {
  if (!node || typeof node !== 'object') return false;
  if (Array.isArray(node)) return node.some(returns);
  if (node.type === 'ReturnStatement' || node.type === 'YieldExpression') return true;
  if (isFunction(node) || node.type === 'FunctionDeclaration') return false;
  return Object.keys(node).some((key) => returns(node[key]));
}

/** [id, edits] of every test whose name can be read in the text. */
function* tests(statements, names, source) {
  for (const statement of statements) {
    const call = statement.type === 'ExpressionStatement' ? statement.expression : null;
    if (call?.type !== 'CallExpression' || call.callee.type !== 'Identifier') continue;
    const [title, ...rest] = call.arguments;
    const body = rest.find(isFunction);
    if (title?.type !== 'Literal' || typeof title.value !== 'string' || !body) continue;
    const path = [...names, title.value];
    if (/^(describe|suite)$/.test(call.callee.name) && body.body.type === 'BlockStatement') {
      yield* tests(body.body.body, path, source);
    } else if (/^(test|it)$/.test(call.callee.name)) {
      const edits = turned(body.body, source);
      if (edits) yield [path.join(' > '), edits];
    }
  }
}

function variants(source) {
  let tree;
  try {
    tree = Parser.parse(source, {
      ecmaVersion: 'latest', sourceType: 'module', allowReturnOutsideFunction: true, allowHashBang: true,
    });
  } catch {
    return { texts: [source, source], coins: {} };
  }
  const edits = [[], []];
  const coins = {};
  const twice = new Set();
  for (const [id, changes] of tests(tree.body, [], source)) {
    if (id in coins || twice.has(id)) {
      twice.add(id);
      continue;
    }
    coins[id] = randomInt(2);
    edits[coins[id]].push(...changes);
  }
  const texts = edits.map((list) => list.sort((one, other) => other[0] - one[0]).reduce(
    (text, [start, end, replacement]) => text.slice(0, start) + replacement + text.slice(end), source));
  return { texts, coins };
}

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (data) => { input += data; });
process.stdin.on('end', () => {
  process.stdout.write(JSON.stringify(JSON.parse(input).files.map(({ source }) => variants(source))));
});
