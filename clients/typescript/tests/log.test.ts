/** What a client tells of itself (clients/BEHAVIOUR.md, C5.9). */

import assert from "node:assert/strict";
import test from "node:test";

import {
  Client, InternalError, type LogEvent, type LogFields, type LogFunction, type LogRecord, logTo, NotFound,
  type ResponseStream, Unavailable, v1,
} from "../src/index.js";
import { encodeGoAway, Kind, Reason } from "../src/transport/frames.js";
import { ClientLog } from "../src/transport/log.js";
import { sleep } from "../src/transport/scope.js";
import { type Peer, pem, withPeer } from "./peer.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const shown = (records: readonly LogRecord[]) => records.map(({ level, event }) => `${level} ${event}`);

function of<Event extends LogEvent>(records: readonly LogRecord[], event: Event): LogFields[Event][] {
  return records.filter((record) => record.event === event).map(({ fields }) => fields as LogFields[Event]);
}

test("a call is told from beginning to end, and no secret is", async () => {
  const script = async (peer: Peer) => {
    await peer.greet();
    peer.fail((await peer.call()).stream, 14, [[2, bytes("busy\n\x1b[31mnow")]]);
    peer.reply((await peer.call()).stream, v1.GetGoalResponse.encode({ goal: { title: "h1dden" } }));
  };
  const records: LogRecord[] = [];
  await withPeer(script, async ({ connect, address }) => {
    const client = await connect({ token: "s3cret", log: (record) => records.push(record) });
    await client.goals.getGoal({ goalId: "h1dden" }, { metadata: { k: "pr1vate" }, idempotencyKey: "k3y" });
    await client.close();
    assert.deepEqual(of(records, "connecting"), [{ address }]);
    assert.equal(of(records, "connected")[0]?.address, address);
    assert.deepEqual(of(records, "disconnected"), [{ address, reason: "this side has closed it" }]);
  });
  assert.deepEqual(shown(records), [
    "debug connecting", "info connected", "debug call_started", "info call_repeated", "debug call_ended",
    "info disconnected",
  ]);
  const method = "hito.v1.GoalService/GetGoal";
  const [repeated] = of(records, "call_repeated");
  assert.deepEqual([repeated?.attempt, repeated?.status, (repeated?.delay_ms ?? 0) > 0], [2, "UNAVAILABLE", true]);
  const [ended] = of(records, "call_ended");
  assert.deepEqual([ended?.call, ended?.method, ended?.status, ended?.attempts], [1, method, "OK", 2]);
  const everything = JSON.stringify(records);
  for (const secret of ["s3cret", "h1dden", "pr1vate", "k3y", "\\n", "\\u001b"]) {
    assert.equal(everything.includes(secret), false, secret);
  }
  assert.ok(everything.includes("busy\ufffd"));
});

test("failures, streams, lost servers and what is resumed are told", async () => {
  const connections: Peer[] = [];
  const script = async (peer: Peer) => {
    await peer.greet();
    if (connections.push(peer) === 1) peer.fail((await peer.call()).stream, 5, [[2, bytes("none")]]);
    const { stream } = await peer.call();
    peer.send(Kind.MESSAGE, 0, stream, v1.WatchResponse.encode({ cursor: `${connections.length}` }));
    await sleep(30);
    // The server ends the connection with an error.
    if (connections.length === 1) peer.send(Kind.GOAWAY, 0, 0, encodeGoAway(0, Reason.INTERNAL, ""));
  };
  const records: LogRecord[] = [];
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ log: (record) => records.push(record) });
    await assert.rejects(client.goals.getGoal({}), NotFound);
    const watch = client.progress.watchResuming({});
    assert.deepEqual([(await watch.next()).value?.cursor, (await watch.next()).value?.cursor], ["1", "2"]);
    watch.cancel();
  });
  assert.deepEqual(
    of(records, "call_ended").map(({ call, status }) => `${call} ${status}`),
    ["1 NOT_FOUND", "2 UNAVAILABLE", "3 CANCELLED"],
  );
  const levels = (event: LogEvent) => records.filter((record) => record.event === event).map(({ level }) => level);
  assert.deepEqual(levels("call_ended"), ["info", "info", "debug"]);
  assert.deepEqual(levels("disconnected"), ["warning", "info"]);
  const [resumed] = of(records, "watch_resumed");
  assert.deepEqual([resumed?.method, resumed?.status], ["hito.v1.ProgressService/Watch", "UNAVAILABLE"]);
});

test("a stream that ends, that is left, and that fails of itself is told once", async () => {
  const script = async (peer: Peer) => {
    await peer.greet();
    const response = v1.WatchResponse.encode({ cursor: "c" });
    for (let number = 1;; number++) {
      const { stream } = await peer.call();
      peer.send(Kind.MESSAGE, 0, stream, number === 3 ? Uint8Array.of(0x0a, 0x7f) : response);
      if (number === 1) peer.fail(stream, 0);
    }
  };
  const records: LogRecord[] = [];
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ log: (record) => records.push(record) });
    const all = async (stream: ResponseStream<v1.WatchResponse>) => {
      for await (const { cursor } of stream) assert.equal(cursor, "c");
    };
    await all(client.progress.watch({}));
    for await (const _ of client.progress.watch({})) break;
    await assert.rejects(all(client.progress.watch({})), InternalError);
    client.progress.watch({}).cancel();
  });
  assert.deepEqual(of(records, "call_started").map(({ call }) => call), [1, 2, 3], "the last never began");
  assert.deepEqual(of(records, "call_ended").map(({ status }) => status), ["OK", "CANCELLED", "INTERNAL"]);
});

test("copies, drains, and what may not be sent are told", async () => {
  const script = async (peer: Peer) => {
    await peer.greet();
    const first = await peer.call();
    await peer.call();
    peer.reply(first.stream, v1.GetGoalResponse.encode({}));
    await peer.frame(Kind.CANCEL);
    peer.send(Kind.GOAWAY, 0, 0, encodeGoAway(first.stream + 2, Reason.NO_ERROR, ""));
  };
  const records: LogRecord[] = [];
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ log: (record) => records.push(record), hedging: { delayMs: 20 } });
    await assert.rejects(client.goals.getGoal({}, { metadata: { "a-bin": "s3cret" } }), TypeError);
    await client.goals.getGoal({});
    for (let round = 0; of(records, "disconnected").length === 0 && round < 100; round++) await sleep(10);
  });
  assert.deepEqual(of(records, "call_hedged"), [{ call: 2, method: "hito.v1.GoalService/GetGoal", copy: 2 }]);
  assert.deepEqual(of(records, "call_ended").map(({ status }) => status), ["INVALID_ARGUMENT", "OK"]);
  assert.match(of(records, "disconnected")[0]?.reason ?? "", /going away/);
  assert.equal(records.find(({ event }) => event === "disconnected")?.level, "info");
  assert.equal(JSON.stringify(records).includes("s3cret"), false);
});

test("servers that cannot be reached, and tokens, are told", async () => {
  const records: LogRecord[] = [];
  const log = (record: LogRecord) => records.push(record);
  await assert.rejects(Client.connect("127.0.0.1:1", { tls: { ca: pem("ca") }, log }), Unavailable);
  assert.deepEqual(shown(records), ["debug connecting", "warning connect_failed"]);
  const [failed] = of(records, "connect_failed");
  assert.equal(failed?.address, "127.0.0.1:1");
  assert.match(failed?.reason ?? "", /cannot connect/);
  records.length = 0;
  const script = async (peer: Peer) => {
    await peer.greet();
    peer.fail((await peer.call()).stream, 16);
    peer.reply((await peer.call()).stream, v1.GetGoalResponse.encode({}));
    peer.fail((await peer.call()).stream, 16);
  };
  let number = 0;
  const tokenProvider = () => {
    number += 1;
    if (number === 3) throw new TypeError("t0ken-3 is broken");
    return { text: `t0ken-${number}`, ...(number === 1 ? { validForMs: 60_000 } : {}) };
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ tokenProvider, log });
    await client.goals.getGoal({});
    await assert.rejects(client.goals.getGoal({}));
  });
  assert.deepEqual(of(records, "token_refreshed"), [{ valid_ms: 60_000 }, { valid_ms: -1 }]);
  const [repeated] = of(records, "call_repeated");
  assert.deepEqual([repeated?.status, repeated?.delay_ms, repeated?.attempt], ["UNAUTHENTICATED", 0, 2]);
  const [rests] = of(records, "token_failed");
  assert.equal(rests?.reason, "the token provider failed with TypeError");
  assert.ok((rests?.rest_ms ?? 0) >= 25);
  assert.equal(JSON.stringify(records).includes("t0ken"), false);
});

test("what a listener throws changes nothing, now or later, and texts are bounded", async () => {
  const tell = (log: LogFunction) => new ClientLog(log).connecting("x".repeat(255) + "😀😀");
  tell(() => {
    throw new Error("the disk is full");
  });
  tell((() => Promise.reject(new Error("the disk is full"))) as LogFunction);
  await sleep(1);
  const records: LogRecord[] = [];
  tell((record) => records.push(record));
  assert.deepEqual(records.map(({ fields }) => fields), [{ address: "x".repeat(255) + "😀" }]);
});

test("a logger gets the sentence, the event and its fields, from a level on", () => {
  const lines: unknown[] = [];
  const logger = {
    debug: (...line: unknown[]) => lines.push("debug", ...line),
    info: (...line: unknown[]) => lines.push("info", ...line),
    warn: (...line: unknown[]) => lines.push("warn", ...line),
  };
  const failed: LogRecord = {
    level: "warning", event: "connect_failed", text: "100% wrong", fields: { address: "a:1", reason: "no" },
  };
  const connecting: LogRecord = { level: "debug", event: "connecting", text: "on it", fields: { address: "a:1" } };
  const [usual, all] = [logTo(logger), logTo(logger, "debug")];
  usual(failed);
  usual(connecting);
  assert.deepEqual(lines, ["warn", "100% wrong", { event: "connect_failed", address: "a:1", reason: "no" }]);
  lines.length = 0;
  all(connecting);
  assert.deepEqual(lines, ["debug", "on it", { event: "connecting", address: "a:1" }]);
});
