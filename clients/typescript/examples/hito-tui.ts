/**
 * Goals and tasks in a terminal: a line is a command, and what happens meanwhile, on whatever device, is said live.
 *
 *     HITO_ADDRESS=127.0.0.1:7443 HITO_CA=ca.pem HITO_TOKEN=… node hito-tui.js
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { Client, HitoError, nameOf, v1 } from "hito";

const HELP = `list                     goals and their tasks
add TITLE: TASK, TASK    a goal with its tasks
start NUMBER             begins a task
done NUMBER              completes a task
check FILE               validates a file of code
quit`;

const marks: { readonly [status: number]: string } = {
  [v1.WorkStatus.PENDING]: "○", [v1.WorkStatus.IN_PROGRESS]: "◐", [v1.WorkStatus.COMPLETED]: "●",
};

class Terminal {
  readonly #client: Client;
  readonly #end = new AbortController();
  /** What the numbers of the last list stand for. */
  #tasks: v1.GoalTask[] = [];
  /** What was written last: reads wait for it, on whatever replica. */
  #cursor = "";
  #following: Promise<void> = Promise.resolve();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Resolves when nothing is missed any more. */
  begin(): Promise<void> {
    return new Promise((resolve) => {
      this.#following = this.#follow(resolve);
    });
  }

  async end(): Promise<void> {
    this.#end.abort();
    await this.#following;
  }

  /** Does what a line says; false where it is the last. */
  async take(line: string): Promise<boolean> {
    const [, command = "", rest = ""] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
    try {
      switch (command) {
        case "":
          break;
        case "list":
          await this.#list();
          break;
        case "add":
          await this.#add(rest);
          break;
        case "start":
          this.#wrote(await this.#client.tasks.startTask({ taskId: this.#task(rest).id }));
          break;
        case "done":
          this.#wrote(await this.#client.tasks.completeTask({ taskId: this.#task(rest).id }));
          break;
        case "check":
          await this.#check(rest);
          break;
        case "quit":
          return false;
        default:
          console.log(HELP);
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      console.log(`! ${error instanceof HitoError ? error.message : String(error)}`);
    }
    return true;
  }

  async #list(): Promise<void> {
    const { goals } = await this.#client.goals.listGoals({ minCursor: this.#cursor });
    this.#tasks = [];
    for (const goal of goals) {
      console.log(`${marks[goal.status] ?? "?"} ${goal.title} (${Math.round(goal.progressPercentage)} %)`);
      const { tasks } = await this.#client.tasks.listTasks({ goalId: goal.id, minCursor: this.#cursor });
      for (const task of tasks) {
        console.log(`  ${this.#tasks.push(task)} ${marks[task.status] ?? "?"} ${task.title}`);
      }
    }
  }

  async #add(text: string): Promise<void> {
    const [title = "", tasks = ""] = text.split(/:\s*/, 2);
    const titles = tasks.split(/\s*,\s*/).filter((title) => title !== "");
    this.#wrote(await this.#client.goals.createGoal({ title, tasks: titles.map((title) => ({ title })) }));
  }

  async #check(path: string): Promise<void> {
    const name = path.split("/").at(-1) ?? path;
    const submission = { files: [{ path: name, content: readFileSync(path, "utf8") }] };
    for await (const { step } of this.#client.codeValidation.validateResuming({ submission })) {
      if (step?.case === "diagnostic") {
        const { line, column, message, tool, ruleId } = step.value;
        console.log(`${path}:${line}:${column}: ${message} (${tool} ${ruleId})`);
      } else if (step?.case === "test") {
        console.log(`${nameOf(v1.TestStatus, step.value.status)} ${step.value.name} ${step.value.message}`);
      } else if (step?.case === "result") {
        console.log(`verdict: ${nameOf(v1.Verdict, step.value.verdict)}`);
      }
    }
  }

  /** Says what happens, through lost connections and servers. */
  async #follow(caughtUp: () => void): Promise<void> {
    const watch = this.#client.progress.watchResuming({}, {
      signal: this.#end.signal,
      onInterruption: (error) => console.log(`… ${error.text}`),
    });
    try {
      for await (const { step } of watch) {
        if (step?.case === "mark" && step.value === v1.SubscriptionMark.CAUGHT_UP) caughtUp();
        if (step?.case !== "event") continue;
        const { title } = JSON.parse(step.value.payloadJson) as { title?: string };
        console.log(`· ${step.value.type} ${title ?? ""}`);
      }
    } catch (error) {
      console.log(`! ${String(error)}`);
      process.exitCode = 1;
    } finally {
      caughtUp();
    }
  }

  #task(number: string): v1.GoalTask {
    const task = this.#tasks[Number(number) - 1];
    if (task === undefined) throw new RangeError(`there is no task ${number}: see list`);
    return task;
  }

  #wrote({ receipt }: { receipt?: v1.WriteReceipt }): void {
    this.#cursor = receipt?.cursor || this.#cursor;
  }
}

const client = await Client.connect(process.env["HITO_ADDRESS"] ?? "127.0.0.1:7443", {
  tls: { ca: readFileSync(process.env["HITO_CA"] ?? "ca.pem", "utf8") },
  token: process.env["HITO_TOKEN"] ?? "",
});
const terminal = new Terminal(client);
await terminal.begin();
if (process.stdout.isTTY) console.log(HELP);
for await (const line of createInterface({ input: process.stdin })) {
  if (!await terminal.take(line)) break;
}
await terminal.end();
await client.close();
process.exit();
