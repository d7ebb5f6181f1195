// Makes JavaScript of TypeScript, each file by itself: reads {"library", "root", "folder", "files": [{"path", "source",
// "target", "isOwn"}]} and runs none of it. Types were checked before; only what does not parse is said here,
// and only of files that are the submission's own.
'use strict';
const fs = require('node:fs');
const nodePath = require('node:path');

function main() {
  const job = JSON.parse(fs.readFileSync(0, 'utf8'));
  const ts = require(job.library);
  let isBroken = false;
  for (const file of job.files) {
    // Each by itself: nothing of a file of tests, not even a constant, gets into the code under test.
    const made = ts.transpileModule(file.source, {
      fileName: file.path,
      reportDiagnostics: true,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, isolatedModules: true,
        inlineSourceMap: true, sourceRoot: nodePath.posix.join(job.root, nodePath.posix.dirname(file.path)),
        importsNotUsedAsValues: ts.ImportsNotUsedAsValues?.Remove,
      },
    });
    for (const found of file.isOwn ? made.diagnostics : []) {
      isBroken = true;
      const place = ts.getLineAndCharacterOfPosition(found.file, found.start ?? 0);
      const text = ts.flattenDiagnosticMessageText(found.messageText, ' ');
      process.stdout.write(`${file.path}(${place.line + 1},${place.character + 1}): error TS${found.code}: ${text}\n`);
    }
    const target = nodePath.posix.join(job.root, job.folder, file.target);
    fs.mkdirSync(nodePath.posix.dirname(target), { recursive: true });
    // The compiler mends what does not parse. Tests that do not are to be found broken where they run.
    fs.writeFileSync(target, made.diagnostics.length ? ')' : made.outputText);
  }
  process.exit(isBroken ? 1 : 0);
}

main();
