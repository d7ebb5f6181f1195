/** The whole extension against a real server, in a stand-in for the editor. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { Client, v1 } from "hito";
import * as standIn from "vscode";

import { activate } from "../src/extension.js";
import type { GoalNode } from "../src/goals.js";
import type * as StandIn from "./vscode.js";

// By the tests' loader it is that file.
const vscode = standIn as unknown as typeof StandIn;
const { editor, window } = vscode;

const setting = (name: string): string => process.env[name] ?? "";
const goals = (): GoalNode[] => editor.trees.get("hito.goals").getChildren();
const run = (command: string, argument?: unknown) => editor.commands.get(command)?.(argument);

async function until(what: () => boolean, why: string): Promise<void> {
  for (let round = 0; round < 500; round++) {
    if (what()) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(false, `waited in vain: ${why}; said: ${editor.messages.join("; ")}`);
}

test("signing in, goals and tasks, live progress, and code", async () => {
  const tls = { ca: readFileSync(setting("HITO_CA"), "utf8") };
  const elsewhere = await Client.connect(setting("HITO_ADDRESS"), { tls, token: setting("HITO_TOKEN") });
  await elsewhere.goals.createGoal({ title: "Editor", tasks: [{ title: "Una" }, { title: "Dos" }] });
  editor.settings.set("hito.address", setting("HITO_ADDRESS"));
  editor.settings.set("hito.caFile", setting("HITO_CA"));

  await activate(vscode.context as never);
  assert.deepEqual([editor.context.get("hito.signedIn"), goals()], [false, []]);
  editor.input = "hito_wrong";
  await run("hito.signIn");
  assert.equal(editor.secrets.size, 0, "a token that does not work is not kept");
  assert.equal(editor.messages.length, 1);
  editor.input = setting("HITO_TOKEN");
  await run("hito.signIn");
  assert.deepEqual([editor.context.get("hito.signedIn"), editor.secrets.size], [true, 1]);
  const [goal] = goals();
  assert.deepEqual([goal?.title, goal?.tasks.map((task) => task.title)], ["Editor", ["Una", "Dos"]]);
  const provider = editor.trees.get("hito.goals");
  assert.equal(provider.getTreeItem(goal?.tasks[0]).contextValue, "task.pending");

  await run("hito.startTask", goal?.tasks[0]);
  assert.equal(provider.getTreeItem(goals()[0]?.tasks[0]).contextValue, "task.started");
  await run("hito.completeTask", goal?.tasks[0]);
  assert.equal(provider.getTreeItem(goals()[0]).description, "50 %");
  await until(() => editor.messages.includes("Hito: Task completed: Una"), "the message of a task");

  // On another device.
  await elsewhere.tasks.completeTask({ taskId: goal?.tasks[1]?.id ?? "" });
  await until(() => goals()[0]?.status === v1.WorkStatus.COMPLETED, "the goal, live");
  await until(() => editor.messages.includes("Hito: Goal completed: Editor"), "the message of a goal");
  const made = await elsewhere.goals.createGoal({ title: "Nueva" });
  await until(() => goals()[0]?.title === "Nueva", "a new goal");
  await elsewhere.goals.archiveGoal({ goalId: made.goal?.id ?? "" });
  await until(() => goals()[0]?.title === "Editor", "a goal that was put away");

  const uri = vscode.Uri.parse("/home/ana/saludo.py");
  window.activeTextEditor = { document: { uri, getText: () => "def saludo(:\n    return 1\n" } };
  await run("hito.validateFile");
  const [diagnostic] = editor.diagnostics.get(uri.path) ?? [];
  assert.ok(diagnostic !== undefined, editor.messages.join("; "));
  assert.equal(diagnostic.range.ends[0], 0);
  assert.ok(editor.progress.length > 0 && editor.messages.at(-1)?.startsWith("Hito: saludo.py: "));

  // As when the editor is opened again.
  for (const subscription of vscode.context.subscriptions) subscription.dispose();
  await activate(vscode.context as never);
  assert.equal(goals()[0]?.title, "Editor");
  await run("hito.signOut");
  assert.deepEqual([editor.secrets.size, goals(), editor.context.get("hito.signedIn")], [0, [], false]);
  for (const subscription of vscode.context.subscriptions) subscription.dispose();
  await elsewhere.close();
});
