// Finds the assertions that a judge may turn around (see turned.py): reads {"files": [{"path", "source"}]} and
// writes for each file its text, with a call at the end of each test, and for each test the places of its last
// assertion. The text is the same in both runs: nothing in it tells which of them is turned around.
'use strict';
const { createHash } = require('node:crypto');
const { Parser } = require('internal/deps/acorn/acorn/dist/acorn');

const END = ';__endOfTest();';
const isFunction = (node) => /^(ArrowFunction|Function)Expression$/.test(node?.type ?? '');
const isNode = (value) => typeof value === 'object' && value !== null && typeof value.type === 'string';
const children = (node) => Object.values(node).flat().filter(isNode);

/** What the file calls node's assertions: [names of the module, names of functions of it]. */
function assertionNames(tree, source) {
  const modules = new Set(['assert', 'strict']);
  const functions = new Set();
  for (const statement of tree.body) {
    if (statement.type !== 'ImportDeclaration' || !/^(node:)?assert(\/strict)?$/.test(statement.source.value)) continue;
    for (const { type, local, imported } of statement.specifiers) {
      const isModule = type !== 'ImportSpecifier' || /^(default|strict)$/.test(imported.name);
      (isModule ? modules : functions).add(local.name);
    }
  }
  return { modules, functions, source };
}

/** Where a call of an assertion stands, as a stack would say; null for other calls. */
function place(call, names) {
  const { callee } = call;
  if (names.source.slice(callee.end, call.end).trimStart().startsWith(')')) return null; // a stack counts otherwise
  if (callee.type === 'Identifier') return names.functions.has(callee.name) ? callee.loc.start : null;
  if (callee.type !== 'MemberExpression' || callee.computed) return null;
  if (callee.object.type === 'Identifier' && names.modules.has(callee.object.name)) return callee.property.loc.start;
  let inner = callee.object;
  while (inner.type === 'MemberExpression') inner = inner.object;
  const isExpect = inner.type === 'CallExpression' && inner.callee.type === 'Identifier' && inner.callee.name === 'expect';
  return isExpect ? callee.property.loc.start : null;
}

const unwrapped = (node) => (node?.type === 'AwaitExpression' ? node.argument : node);
const direct = (node, names) => (node?.type === 'CallExpression' ? place(node, names) : null);

/** The places of assertions below a node; of functions in it only in those that run there and then. */
function* placesIn(node, names) {
  if (node.type === 'CallExpression') {
    const found = place(node, names);
    if (found) yield found;
    const isEach = node.callee.type === 'MemberExpression' && /^(forEach|map|then)$/.test(node.callee.property.name);
    for (const child of children(node)) if (isEach || !isFunction(child)) yield* placesIn(child, names);
    return;
  }
  for (const child of children(node)) {
    if (!isFunction(child) && child.type !== 'FunctionDeclaration' && child.type !== 'ClassBody') yield* placesIn(child, names);
  }
}

function returns(node) {
  if (/^(ReturnStatement|YieldExpression)$/.test(node.type)) return true;
  if (isFunction(node) || node.type === 'FunctionDeclaration') return false;
  return children(node).some(returns);
}

/** The last assertion of a test: its places, whether it runs whenever the test passes, and whether the end of
 * the test is reached. Null where nothing can be said. */
function last(body, names) {
  if (body.type !== 'BlockStatement') {
    const found = direct(unwrapped(body), names);
    return found && { places: [found], isSure: true, hasEnd: false };
  }
  const final = body.body.at(-1);
  const returned = final?.type === 'ReturnStatement' ? direct(unwrapped(final.argument), names) : null;
  if ((returned ? body.body.slice(0, -1) : body.body).some(returns)) return null;
  if (returned) return { places: [returned], isSure: true, hasEnd: false };
  for (const statement of [...body.body].reverse()) {
    const found = statement.type === 'ExpressionStatement' ? direct(unwrapped(statement.expression), names) : null;
    if (found) return { places: [found], isSure: true, hasEnd: true };
  }
  for (const statement of [...body.body].reverse()) {
    const places = [...placesIn(statement, names)];
    if (places.length > 0) return { places, isSure: false, hasEnd: true };
  }
  return { places: [], isSure: false, hasEnd: true };
}

/** [id, function's body] of every test whose name can be read in the text. */
function* tests(statements, path) {
  for (const statement of statements) {
    const call = statement.type === 'ExpressionStatement' ? statement.expression : null;
    if (call?.type !== 'CallExpression' || call.callee.type !== 'Identifier') continue;
    const [title, ...rest] = call.arguments;
    const made = rest.find(isFunction);
    if (title?.type !== 'Literal' || typeof title.value !== 'string' || !made) continue;
    const inner = [...path, title.value];
    if (/^(describe|suite)$/.test(call.callee.name) && made.body.type === 'BlockStatement') {
      yield* tests(made.body.body, inner);
    } else if (/^(test|it)$/.test(call.callee.name)) {
      yield [inner.join(' > '), made.body];
    }
  }
}

const shown = ({ line, column }) => `${line}:${column + 1}`;

function judged(given) {
  // A mark of its encoding is not part of the program.
  const source = given.replace(/^\uFEFF/, '');
  let tree;
  try {
    tree = Parser.parse(source, {
      ecmaVersion: 'latest', sourceType: 'module', allowReturnOutsideFunction: true, allowHashBang: true, locations: true,
    });
  } catch {
    return { text: source, hash: '', tests: {} };
  }
  const names = assertionNames(tree, source);
  const found = { __proto__: null };
  const twice = new Set();
  const ends = [];
  for (const [id, body] of tests(tree.body, [])) {
    const made = last(body, names);
    if (!made) continue;
    const line = body.loc.end;
    // What is put in comes behind all of the test, and moves what follows on the same line.
    if (made.hasEnd) ends.push({ offset: body.end - 1, at: { line: line.line, column: line.column - 1 } });
    if (id in found) twice.add(id);
    found[id] = { isSure: made.isSure, places: made.places, end: made.hasEnd ? ends.at(-1).at : null };
  }
  const moved = ({ line, column }) => ({
    line, column: column + END.length * ends.filter(({ at }) => at.line === line && at.column < column).length,
  });
  for (const [id, test] of Object.entries(found)) {
    test.places = test.places.map((one) => shown(moved(one)));
    const end = test.end && moved(test.end);
    // The call's name begins behind the semicolon.
    if (end) test.end = shown({ line: end.line, column: end.column + 1 });
    if (twice.has(id)) delete found[id];
  }
  const text = ends.sort((one, other) => other.offset - one.offset).reduce(
    (before, { offset }) => before.slice(0, offset) + END + before.slice(offset), source);
  return { text, hash: createHash('sha256').update(text).digest('hex'), tests: found };
}

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (data) => { input += data; });
process.stdin.on('end', () => {
  process.stdout.write(JSON.stringify(JSON.parse(input).files.map(({ source }) => judged(source))));
});
