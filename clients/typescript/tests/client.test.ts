/** What a client does that the conformance runner does not see. */

import assert from "node:assert/strict";
import test from "node:test";

import {
  CancelledCall, DeadlineExceeded, type Interceptor, InternalError, type Metadata, NotFound, ResourceExhausted,
  Unavailable, v1,
} from "../src/index.js";
import { Client } from "../src/index.js";
import { sleep } from "../src/transport/scope.js";
import { encodeBlock, Kind } from "../src/transport/frames.js";
import { type Peer, pem, withPeer } from "./peer.js";

const text = (bytes: Uint8Array | undefined) => new TextDecoder("utf-8").decode(bytes ?? new Uint8Array(0));
const entry = (key: string, value: Uint8Array) =>
  [6, Uint8Array.of(key.length, ...new TextEncoder().encode(key), ...value)] as const;
const goal = (title: string) => v1.GetGoalResponse.encode({ goal: { title } });

/** Answers each call with the goal `title`. */
const answering = (title: string) => async (peer: Peer): Promise<void> => {
  await peer.greet();
  for (;;) peer.reply((await peer.call()).stream, goal(title));
};

test("a request and its reply are plain objects", async () => {
  const script = async (peer: Peer) => {
    await peer.greet();
    const { stream, fields, message } = await peer.call();
    assert.equal(text(fields.get(1)), "hito.v1.GoalService/GetGoal");
    assert.equal(v1.GetGoalRequest.decode(message).goalId, "g-1");
    peer.reply(stream, goal("Aprender"));
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect();
    const reply = await client.goals.getGoal({ goalId: "g-1" });
    assert.equal(reply.goal?.title, "Aprender");
  });
});

test("a server that asks for a certificate gets ours", async () => {
  const options = { ca: pem("ca"), requestCert: true, rejectUnauthorized: true };
  await withPeer(answering("x"), async ({ connect }) => {
    const tls = { ca: pem("ca"), cert: pem("client"), key: pem("client-key") };
    const client = await connect({ tls });
    assert.equal((await client.goals.getGoal({})).goal?.title, "x");
    await assert.rejects(connect(), Unavailable);
  }, options);
});

test("a certificate of a stranger and one of another name are refused, and nothing is said", async () => {
  const script = async (peer: Peer) => {
    await peer.frame(Kind.HELLO);
    throw new Error("HELLO came");
  };
  await withPeer(script, async ({ connect, address }) => {
    const refused = (error: Unavailable) =>
      error instanceof Unavailable && error.notStarted && error.message.includes("certificate refused");
    await assert.rejects(connect({ tls: { ca: pem("stranger") } }), refused);
    await assert.rejects(connect({ tls: { ca: pem("ca"), serverName: "hito.example" } }), refused);
    await assert.rejects(Client.connect(address, { waitForConnect: true }), refused);
  });
});

test("interceptors see every call and its failure, the first outermost, and change options", async () => {
  const script = async (peer: Peer) => {
    await peer.greet();
    const call = await peer.call();
    assert.equal(text(call.fields.get(4)), "trace-b");
    peer.reply(call.stream, goal("x"));
    peer.fail((await peer.call()).stream, 5);
    const stream = await peer.call();
    assert.equal(text(stream.fields.get(4)), "trace-b");
    peer.send(Kind.MESSAGE, 0, stream.stream, v1.WatchResponse.encode({ cursor: "c" }));
    peer.fail(stream.stream, 0);
  };
  const seen: string[] = [];
  const named = (name: string): Interceptor => async (method, options, proceed) => {
    seen.push(`${name} ${method.path.split("/")[1]}`);
    try {
      return await proceed({ ...options, traceparent: `trace-${name}` });
    } catch (error) {
      seen.push(`${name} ${(error as Error).name}`);
      throw error;
    }
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ interceptors: [named("a"), named("b")] });
    await client.goals.getGoal({});
    await assert.rejects(client.goals.getGoal({}), NotFound);
    const cursors: string[] = [];
    for await (const { cursor } of client.progress.watch({})) cursors.push(cursor);
    assert.deepEqual(cursors, ["c"]);
  });
  assert.deepEqual(seen, [
    "a GetGoal", "b GetGoal", "a GetGoal", "b GetGoal", "b NotFound", "a NotFound", "a Watch", "b Watch",
  ]);
});

test("metadata goes both ways, bytes too", async () => {
  const script = async (peer: Peer) => {
    await peer.greet();
    for (const fails of [false, true]) {
      const { stream, fields } = await peer.call();
      assert.ok(fields.has(6));
      peer.send(Kind.HEAD, 0, stream, encodeBlock([entry("a-bin", Uint8Array.of(0, 1))]));
      const trailer = entry("b", new TextEncoder().encode("ñ"));
      if (fails) peer.fail(stream, 8, [trailer]);
      else peer.reply(stream, goal("x"), [trailer]);
    }
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect();
    const said: Metadata[] = [];
    const options = {
      metadata: { "x-bin": Uint8Array.of(255) },
      onMetadata: (metadata: Metadata) => said.push({ ...metadata }),
      onTrailers: (trailers: Metadata) => said.push({ ...trailers }),
    };
    await client.goals.getGoal({}, options);
    await assert.rejects(client.goals.getGoal({}, options), ResourceExhausted);
    const expected = [{ "a-bin": Uint8Array.of(0, 1) }, { b: "ñ" }];
    assert.deepEqual(said, [...expected, ...expected]);
    await assert.rejects(client.goals.getGoal({}, { metadata: { "x-bin": "text" } }), TypeError);
  });
});

test("a signal cancels a call wherever it is, and the server hears of it", async () => {
  const heard: number[] = [];
  const script = async (peer: Peer) => {
    await peer.greet();
    for (;;) {
      await peer.call();
      heard.push((await peer.frame(Kind.CANCEL)).stream);
    }
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect();
    const cancel = new AbortController();
    setTimeout(() => cancel.abort("enough"), 20);
    await assert.rejects(client.goals.getGoal({}, { signal: cancel.signal }), (error: CancelledCall) => {
      return error instanceof CancelledCall && error.cause === "enough" && !error.notStarted;
    });
    const before = client.goals.getGoal({}, { signal: cancel.signal });
    await assert.rejects(before, (error: CancelledCall) => error.notStarted);
    await assert.rejects(client.goals.getGoal({}, { timeoutMs: 20 }), DeadlineExceeded);
    const stream = client.progress.watch({});
    const waiting = stream.next();
    await sleep(20);
    stream.cancel();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    for (let round = 0; heard.length < 3 && round < 100; round++) await sleep(10);
    assert.deepEqual(heard, [1, 3, 5]);
  });
});

test("a request stream that fails ends its call, and one that is not wanted any more is left", async () => {
  const script = async (peer: Peer) => {
    await peer.greet();
    await peer.call();
    await peer.frame(Kind.CANCEL);
    const { stream } = await peer.call();
    peer.fail(stream, 5);
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect();
    async function* failing() {
      yield {};
      throw await Promise.resolve(new Error("no disk"));
    }
    await assert.rejects(client.courses.ingestDocuments(failing()), /no disk/);
    let hasReturned = false;
    async function* endless() {
      try {
        for (;;) {
          yield {};
          await sleep(1);
        }
      } finally {
        hasReturned = true;
      }
    }
    await assert.rejects(client.courses.ingestDocuments(endless()), NotFound);
    for (let round = 0; !hasReturned && round < 100; round++) await sleep(10);
    assert.ok(hasReturned);
  });
});

test("an answer that is no message is the server's fault, and a write is hedged only under a key", async () => {
  const script = async (peer: Peer) => {
    await peer.greet();
    peer.reply((await peer.call()).stream, Uint8Array.of(0x0a, 0x7f));
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect();
    await assert.rejects(client.goals.getGoal({}), InternalError);
    await assert.rejects(client.goals.createGoal({}, { hedging: { delayMs: 5 } }), TypeError);
  });
});

test("a closed client makes no calls", async () => {
  await withPeer(answering("x"), async ({ connect }) => {
    const client = await connect();
    await client.close();
    await assert.rejects(client.goals.getGoal({}), (error: CancelledCall) => error.notStarted);
    await assert.rejects(client.progress.watch({}).next(), CancelledCall);
  });
});

test("a resuming watch continues after its last cursor, and its signal ends the loop", async () => {
  const starts: unknown[] = [];
  const script = async (peer: Peer) => {
    await peer.greet();
    for (let number = 1;; number++) {
      const { stream, message } = await peer.call();
      starts.push(v1.WatchRequest.decode(message).start);
      peer.send(Kind.MESSAGE, 0, stream, v1.WatchResponse.encode({ cursor: `c${starts.length}` }));
      if (number === 2) return;
      peer.fail(stream, 14, [[4, new TextEncoder().encode(`r${starts.length}`)]]);
    }
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect();
    const end = new AbortController();
    const watch = client.progress.watchResuming({}, { signal: end.signal });
    const cursors: string[] = [];
    for await (const { cursor } of watch) {
      cursors.push(cursor);
      if (cursors.length === 2) setTimeout(() => end.abort(), 10);
    }
    assert.deepEqual(cursors, ["c1", "c2"]);
    assert.deepEqual([watch.cursor, watch.interruptions], ["c2", 1]);
    assert.deepEqual(starts, [undefined, { case: "afterCursor", value: "r1" }]);
  });
});

test("a stream that failed was not started only where none of its attempts was", async () => {
  const refused: readonly [number, Uint8Array] = [8, new Uint8Array(0)];
  const script = async (peer: Peer) => {
    await peer.greet();
    peer.fail((await peer.call()).stream, 5, [refused]);
    peer.fail((await peer.call()).stream, 14);
    peer.fail((await peer.call()).stream, 5, [refused]);
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect();
    for (const notStarted of [true, false]) {
      const failed = client.progress.watch({}).next();
      await assert.rejects(failed, (error: NotFound) => error instanceof NotFound && error.notStarted === notStarted);
    }
  });
});
