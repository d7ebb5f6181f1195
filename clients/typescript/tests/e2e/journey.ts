/**
 * The client against a real server, which run.py starts and kills: on the line `kill` it does so, and starts it again.
 * Says what went well on standard output, and ends with an error where something did not.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import {
  AlreadyExists, Aborted, CancelledCall, Client, type ClientOptions, DeadlineExceeded, type HitoError, InvalidArgument,
  NotFound, Unauthenticated, Unavailable, v1,
} from "hito";

const setting = (name: string): string => {
  const value = process.env[name];
  assert.ok(value, name);
  return value;
};
const address = setting("HITO_ADDRESS");
const ca = readFileSync(setting("HITO_CA"), "utf8");
const say = (text: string) => void process.stdout.write(text + "\n");
const clients: Client[] = [];

async function connect(options: ClientOptions = {}): Promise<Client> {
  const tls = { ca, ...options.tls };
  const client = await Client.connect(address, { token: setting("HITO_ADMIN_TOKEN"), ...options, tls });
  clients.push(client);
  return client;
}

async function journey(client: Client): Promise<void> {
  const made = await client.goals.createGoal({
    title: "Aprender FastAPI", tasks: [{ title: "Primera API" }, { title: "Pruebas" }],
  });
  const done = await client.tasks.completeTask({ taskId: made.tasks[0]?.id ?? "" });
  assert.equal(done.goal?.progressPercentage, 50);
  const read = await client.goals.getGoal({ goalId: made.goal?.id ?? "", minCursor: done.receipt?.cursor ?? "" });
  assert.equal(read.goal?.progressPercentage, 50);
  assert.deepEqual(read.tasks.map((task) => task.status), [v1.WorkStatus.COMPLETED, v1.WorkStatus.PENDING]);
  const refusal = await failure(client.goals.updateGoal({
    goalId: made.goal?.id ?? "", goal: { title: "Otro" }, updateMask: { paths: ["title"] }, expectedVersion: 99,
  }));
  assert.ok(refusal instanceof Aborted && refusal.reason === v1.ErrorReason.STALE_VERSION);
  assert.ok((refusal.details.resource?.currentVersion ?? 0) >= 1);
  say("ok journey");
}

async function typedErrors(client: Client): Promise<void> {
  const invalid = await failure(client.goals.createGoal({ title: "" }));
  assert.ok(invalid instanceof InvalidArgument && invalid.fromServer);
  assert.equal(invalid.reason, v1.ErrorReason.INVALID_FIELD);
  assert.equal(invalid.details.fieldViolations[0]?.field, "title");
  assert.ok(invalid.message.includes("title: "));
  const missing = await failure(client.goals.getGoal({ goalId: "00000000-0000-4000-8000-000000000000" }));
  assert.ok(missing instanceof NotFound);
  const stranger = await connect({ token: "hito_wrong" });
  assert.ok(await failure(stranger.goals.listGoals({})) instanceof Unauthenticated);
  say("ok typed errors");
}

async function refusals(): Promise<void> {
  const other = readFileSync(setting("HITO_OTHER_CA"), "utf8");
  for (const tls of [{ ca: other }, { ca, serverName: "hito.example" }]) {
    const error = await failure(connect({ tls }));
    assert.ok(error instanceof Unavailable && error.message.includes("certificate refused"), error.message);
  }
  say("ok certificates");
}

async function fourKinds(client: Client): Promise<void> {
  for await (const { status } of client.health.watch({})) {
    assert.equal(status, v1.HealthStatus.SERVING);
    break;
  }
  const { course } = await client.courses.createCourse({ title: "Curso", metadata: new Map([["a", "b"]]) });
  async function* documents() {
    yield { step: { case: "start", value: { courseId: course?.id ?? "" } } } as const;
    // Larger than a frame and than the credit that the server grants at first.
    const content = new TextEncoder().encode("# Tema\n\n" + "Texto largo. ".repeat(40_000));
    yield { step: { case: "document", value: { path: "a.md", content } } } as const;
  }
  const ingested = await client.courses.ingestDocuments(documents());
  assert.deepEqual([ingested.documentsReceived, ingested.documentsChanged], [1, 1]);
  await client.events.createConsumerGroup({ group: { name: "typescript" }, fromNow: true });
  const made = await client.goals.createGoal({ title: "Para el grupo" });
  for await (const delivery of client.events.consumeResuming("typescript")) {
    assert.ok(delivery.isHeld);
    assert.ok(await delivery.ack());
    if (delivery.event.entityId === made.goal?.id) break;
  }
  say("ok four kinds of calls");
}

async function endings(client: Client): Promise<void> {
  const late = await failure(drain(client.progress.watch({}, { timeoutMs: 50 })));
  assert.ok(late instanceof DeadlineExceeded);
  const cancel = new AbortController();
  setTimeout(() => cancel.abort(), 30);
  assert.ok(await failure(drain(client.progress.watch({}, { signal: cancel.signal }))) instanceof CancelledCall);
  const early = await failure(client.goals.listGoals({}, { timeoutMs: 0 }));
  assert.ok(early instanceof DeadlineExceeded && early.notStarted);
  say("ok deadline and cancellation");
}

async function sameKey(client: Client): Promise<void> {
  const options = { idempotencyKey: "key-of-the-journey" };
  const first = await client.goals.createGoal({ title: "Una vez" }, options);
  const second = await client.goals.createGoal({ title: "Una vez" }, options);
  assert.deepEqual([first.receipt?.replayed, second.receipt?.replayed], [false, true]);
  assert.equal(second.goal?.id, first.goal?.id);
  const other = await failure(client.goals.createGoal({ title: "Otra vez" }, options));
  assert.ok(other instanceof AlreadyExists && other.reason === v1.ErrorReason.KEY_CONFLICT);
  say("ok the same key");
}

async function refreshedToken(admin: Client): Promise<void> {
  const { user } = await admin.users.createUser({ displayName: "Ana", role: v1.Role.LEARNER });
  const newToken = async () => await admin.users.createToken({ userId: user?.id ?? "" });
  let current = await newToken();
  let asked = 0;
  const learner = await connect({
    token: undefined,
    tokenProvider: () => {
      asked += 1;
      return { text: current.secret, validForMs: 3_600_000 };
    },
  });
  await learner.goals.createGoal({ title: "Mía" });
  await admin.users.revokeToken({ tokenId: current.token?.id ?? "" });
  current = await newToken();
  assert.equal(asked, 1);
  // The server may take a token that is revoked for 2 s more (W13.2). No call fails meanwhile.
  for (let round = 0; asked < 2 && round < 200; round++) {
    assert.equal((await learner.goals.listGoals({})).goals.length, 1);
    await new Promise<void>((resolve) => void setTimeout(resolve, 50));
  }
  assert.equal(asked, 2);
  say("ok a token that is refreshed");
}

async function ourCertificate(): Promise<void> {
  const read = (name: string) => readFileSync(setting("HITO_CERTIFICATES") + `/${name}.pem`, "utf8");
  const client = await connect({ tls: { cert: read("client"), key: read("client-key") } });
  await client.goals.listGoals({});
  // TLS ends with an alert where the server does not accept it: the connection is not made.
  const stranger = await failure(connect({ tls: { cert: read("stranger"), key: read("stranger-key") } }));
  assert.ok(stranger instanceof Unavailable);
  say("ok a client certificate");
}

/** Goals are made while the server is killed twice; the watch gives each of their events once, in order. */
async function watchedThroughKills(client: Client): Promise<void> {
  const count = 60;
  const titles = Array.from({ length: count }, (_, number) => `Vigilada ${number}`);
  const seen: string[] = [];
  const watching = (async () => {
    const watch = client.progress.watchResuming({
      filter: { types: ["goal.created"] }, start: { case: "fromBeginning", value: true },
    });
    for await (const { step } of watch) {
      if (step?.case !== "event") continue;
      const title = JSON.parse(step.value.payloadJson).title;
      if (titles.includes(title)) seen.push(title);
      if (seen.length >= count) break;
    }
  })();
  for (const [number, title] of titles.entries()) {
    if (number === 20 || number === 40) say("kill");
    await client.goals.createGoal({ title }, { timeoutMs: 60_000 });
  }
  await watching;
  assert.deepEqual(seen, titles);
  say("ok a watch through two kills");
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const response of stream) void response;
}

async function failure(call: Promise<unknown>): Promise<HitoError> {
  try {
    await call;
  } catch (error) {
    return error as HitoError;
  }
  throw new Error("it went well");
}

try {
  const client = await connect();
  await journey(client);
  await typedErrors(client);
  await refusals();
  await fourKinds(client);
  await endings(client);
  await sameKey(client);
  await refreshedToken(client);
  await ourCertificate();
  await watchedThroughKills(client);
} finally {
  await Promise.all(clients.map((client) => client.close()));
}
say("done");
