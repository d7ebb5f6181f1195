/** The TypeScript client in the matrix (Tests/Matrix/README.md): writes, and watches what all write. */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { Client, HitoError, v1 } from "hito";

const [addresses = "", caFile = "", tokenFile = "", seconds = "", name = "", balancing = "", rate = ""] =
  process.argv.slice(2);
const client = await Client.connect(addresses.split(","), {
  tls: { ca: readFileSync(caFile, "utf8") },
  token: readFileSync(tokenFile, "utf8").trim(),
  balancing: balancing === "round_robin" ? "round_robin" : "pick_first",
});

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const sleep = (milliseconds: number) => new Promise<void>((then) => setTimeout(then, milliseconds));

const pause = 1000 / Number(rate);
let next = Date.now();

/** The reply, or undefined where it failed. `entity` may be told by the reply. */
async function write<R extends { receipt?: v1.WriteReceipt | undefined }>(
  key: string, kind: string, call: (key: string) => Promise<R>, entity: (reply: R) => string,
): Promise<R | undefined> {
  next = Math.max(next + pause, Date.now());
  await sleep(next - Date.now());
  try {
    const reply = await call(key);
    const { cursor = "", replayed = false } = reply.receipt ?? {};
    say({ wrote: { entity: entity(reply), kind, key, cursor, replayed } });
    return reply;
  } catch (error) {
    if (!(error instanceof HitoError)) throw error;
    say({ failed: error.name, key });
    return undefined;
  }
}

async function writeGoal(title: string): Promise<void> {
  const make = (idempotencyKey: string) =>
    client.goals.createGoal({ title, tasks: [{ title }] }, { idempotencyKey });
  const made = await write(title, "goal.created", make, (reply) => reply.goal?.id ?? "");
  const taskId = made?.tasks[0]?.id;
  if (taskId === undefined) return;
  const start = (idempotencyKey: string) => client.tasks.startTask({ taskId }, { idempotencyKey });
  if (!(await write(`${title}-start`, "task.started", start, () => taskId))) return;
  const complete = (idempotencyKey: string) => client.tasks.completeTask({ taskId }, { idempotencyKey });
  await write(`${title}-complete`, "task.completed", complete, () => taskId);
}

const seen = new Set<string>();
let wanted: { cursor: string; found: () => void } | undefined;
const watch = client.progress.watchResuming({ start: { case: "fromBeginning", value: true } });

async function follow(): Promise<void> {
  for await (const { step, cursor } of watch) {
    if (step?.case !== "event") continue;
    const { id, entityId, version, type } = step.value;
    say({ saw: { cursor, event: id, entity: entityId, version, type } });
    seen.add(cursor);
    if (cursor === wanted?.cursor) wanted.found();
  }
}

const following = follow();
following.catch(() => undefined);
const end = Date.now() + Number(seconds) * 1000;
for (let number = 1; Date.now() < end; number++) await writeGoal(`${name}-${number}`);
say({ written: true });
const input = createInterface({ input: process.stdin });
for await (const cursor of input) {
  const found = new Promise<void>((then) => { wanted = { cursor, found: then }; });
  if (!seen.has(cursor)) await Promise.race([found, following]);
  break;
}
say({ done: true, interruptions: watch.interruptions });
input.close();
await client.close();
