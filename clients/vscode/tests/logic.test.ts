/** What events and diagnostics mean, without an editor and without a server. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { v1 } from "hito";

import { changeOf, contextOf, type TaskNode } from "../src/goals.js";
import { findingOf, validate } from "../src/validation.js";

const event = (type: string, payload: unknown, entityId = "g-1") =>
  v1.Event.create({ type, entityId, payloadJson: typeof payload === "string" ? payload : JSON.stringify(payload) });

test("events of goals and tasks change what is shown of them", () => {
  assert.deepEqual(changeOf(event("goal.updated", {})), { goalId: "g-1", isGone: false, news: "" });
  assert.equal(changeOf(event("goal.deleted", {})).isGone, true);
  const done = changeOf(event("task.completed", { goal_id: "g-2", title: "Pruebas" }, "t-1"));
  assert.deepEqual(done, { goalId: "g-2", isGone: false, news: "Task completed: Pruebas" });
  assert.equal(changeOf(event("course.created", {})).goalId, "");
  for (const broken of ["", "null", "[]", "{", "7"]) assert.equal(changeOf(event("task.started", broken)).goalId, "");
});

test("the commands of a task are those that its state allows", () => {
  const task = (status: v1.WorkStatus): TaskNode => ({ kind: "task", id: "t", goalId: "g", title: "", status });
  const { PENDING, IN_PROGRESS, COMPLETED } = v1.WorkStatus;
  assert.deepEqual([PENDING, IN_PROGRESS, COMPLETED, 99].map((status) => contextOf(task(status))), [
    "task.pending", "task.started", "task.ended", "task.ended",
  ]);
});

test("places are lines and UTF-16 units of the text, and never outside of it", () => {
  const lines = ["a😀b = 1", "fin"];
  const place = (line: number, column: number, endLine = 0, endColumn = 0) => {
    const { start, end } = findingOf(v1.Diagnostic.create({ line, column, endLine, endColumn }), lines);
    return [start.line, start.character, end.line, end.character];
  };
  assert.deepEqual(place(1, 3), [0, 3, 0, 4], "behind a character of two units");
  assert.deepEqual(place(1, 1, 1, 3), [0, 0, 0, 3]);
  assert.deepEqual(place(2, 1), [1, 0, 1, 3], "a word where there is no end");
  assert.deepEqual(place(99, 99), [1, 3, 1, 3]);
  assert.deepEqual(place(0, 0), [0, 0, 0, 1]);
});

test("what an attempt said that another server began anew is void", async () => {
  const diagnostic = (message: string) => ({ case: "diagnostic", value: v1.Diagnostic.create({ message }) } as const);
  const responses = [
    { attempt: 1, step: diagnostic("old") },
    { attempt: 2, step: diagnostic("new") },
    { attempt: 2, step: { case: "result", value: v1.CodeSnapshot.create({ verdict: v1.Verdict.FAILED }) } as const },
  ].map((response) => v1.ValidateCodeResponse.create(response));
  const client = {
    codeValidation: {
      async *validateResuming() {
        yield* await Promise.resolve(responses);
      },
    },
  };
  const code = { name: "a.py", text: "x", taskId: "" };
  const shown: number[] = [];
  const { signal } = new AbortController();
  const outcome = await validate(client, code, signal, () => {}, (findings) => shown.push(findings.length));
  assert.deepEqual(outcome.findings.map((finding) => finding.message), ["new"]);
  assert.deepEqual([shown, outcome.summary], [[1, 1], "a.py: failed, 1 findings"]);
});

test("the manifest has the commands that the extension registers", () => {
  const repository = process.env["HITO_REPOSITORY"] ?? ".";
  const manifest = JSON.parse(readFileSync(`${repository}/clients/vscode/package.json`, "utf8"));
  const source = readFileSync(`${repository}/clients/vscode/src/extension.ts`, "utf8");
  const registered = [...source.matchAll(/#command\("([\w.]+)"/g)].map(([, name]) => name).sort();
  const declared = manifest.contributes.commands.map(({ command }: { command: string }) => command).sort();
  assert.deepEqual(registered, declared);
});
