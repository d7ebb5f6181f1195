// Says where JavaScript does not parse: reads [{"path", "source"}], runs none of it. A file is right if it is
// a module or a script, unless its name says which of the two it must be.
'use strict';
const vm = require('node:vm');
const { wrap } = require('node:module');

function problem(source, path, isModule) {
  try {
    if (isModule) new vm.SourceTextModule(source, { identifier: path });
    else new vm.Script(wrap(source.replace(/^#!.*/, '')), { filename: path });
    return null;
  } catch (error) {
    return (isModule && placeByAcorn(source)) || place(error, source);
  }
}

/** The first lines of a SyntaxError's stack: `path:line`, the line, and a caret under its place. */
function place(error, source) {
  const rows = String(error.stack).split('\n');
  const line = Number(/:(\d+)$/.exec(rows[0])?.[1] ?? 1);
  const caret = rows.slice(1, 4).find((row) => /^\s*\^+\s*$/.test(row));
  const shown = rows[1] ?? '';
  const text = source.split('\n')[line - 1] ?? '';
  // The wrapper of a script stands in the first line, too.
  const before = shown.endsWith(text) ? shown.length - text.length : 0;
  const column = Math.max(0, (caret?.indexOf('^') ?? 0) - before);
  return { line, column: [...text.slice(0, column)].length + 1, message: String(error.message) };
}

/** V8 keeps the place of a module's error to itself; node's own second parser tells it. */
function placeByAcorn(source) {
  try {
    const { Parser } = require('internal/deps/acorn/acorn/dist/acorn');
    Parser.parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
    return null;
  } catch (error) {
    if (!error.loc) return null;
    const text = source.split('\n')[error.loc.line - 1] ?? '';
    const message = error.message.replace(/ \(\d+:\d+\)$/, '');
    return { line: error.loc.line, column: [...text.slice(0, error.loc.column)].length + 1, message };
  }
}

function check({ path, source }) {
  if (path.endsWith('.mjs')) return problem(source, path, true);
  if (path.endsWith('.cjs')) return problem(source, path, false);
  const isLikely = /^\s*(import\b[^(]|import$|export\b)/m.test(source);
  const first = problem(source, path, isLikely);
  return first && problem(source, path, !isLikely) ? first : null;
}

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (data) => { input += data; });
process.stdin.on('end', () => {
  const found = JSON.parse(input).flatMap((file) => {
    const problem = check(file);
    return problem ? [{ path: file.path, ...problem }] : [];
  });
  process.stdout.write(JSON.stringify(found));
  process.exitCode = found.length > 0 ? 1 : 0;
});
