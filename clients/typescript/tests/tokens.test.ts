/** Tokens that are made anew while a client lives (clients/BEHAVIOUR.md, C5.8), against a scripted server. */

import assert from "node:assert/strict";
import test from "node:test";

import {
  CancelledCall, type Client, DeadlineExceeded, HitoError, NotFound, type Token, Unauthenticated, v1,
} from "../src/index.js";
import { Kind } from "../src/transport/frames.js";
import { sleep } from "../src/transport/scope.js";
import { type Peer, withPeer } from "./peer.js";

const UNAUTHENTICATED = 16;
const text = (bytes: Uint8Array | undefined) => new TextDecoder("utf-8").decode(bytes ?? new Uint8Array(0));

type Answer = string | Token | Error;

/** Gives one answer after the other, the last for ever; an error is thrown. */
class Provider {
  asked = 0;
  answers: Answer[];
  readonly signals: AbortSignal[] = [];
  readonly #delayMs: number;

  constructor(answers: Answer[], delayMs = 0) {
    this.answers = answers;
    this.#delayMs = delayMs;
  }

  readonly ask = async (signal: AbortSignal): Promise<string | Token> => {
    this.asked += 1;
    this.signals.push(signal);
    await sleep(this.#delayMs, signal);
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (answer instanceof Error) throw answer;
    return answer ?? "";
  };
}

/** What a server saw of a call. */
interface Seen {
  readonly token: string;
  readonly key: string;
  readonly path: string;
}

/** Answers calls under these tokens and refuses all others. */
const gate = (good: readonly string[], seen: Seen[] = []) => async (peer: Peer): Promise<void> => {
  const hello = await peer.greet();
  assert.equal(hello.has(8), false, "HELLO has no token");
  for (;;) {
    const { stream, fields } = await peer.call();
    const token = text(fields.get(5));
    seen.push({ token, key: text(fields.get(3)), path: text(fields.get(1)) });
    if (good.includes(token)) peer.reply(stream, new Uint8Array(0));
    else peer.fail(stream, UNAUTHENTICATED, [[2, new TextEncoder().encode("no such token")]]);
  }
};

const tokens = (seen: readonly Seen[]) => seen.map(({ token }) => token);
const get = (client: Client) => client.goals.getGoal({});
const many = (client: Client) => Promise.all(Array.from({ length: 20 }, () => get(client)));

async function failure(call: Promise<unknown>): Promise<HitoError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof HitoError, String(error));
    return error;
  }
  throw new Error("it went well");
}

async function refusal(call: Promise<unknown>): Promise<Unauthenticated> {
  const error = await failure(call);
  assert.ok(error instanceof Unauthenticated, String(error));
  return error;
}

test("connecting needs no token, and the first calls share one question", async () => {
  const provider = new Provider(["a"], 50);
  await withPeer(gate(["a"]), async ({ connect }) => {
    const client = await connect({ tokenProvider: provider.ask });
    assert.equal(provider.asked, 0);
    await many(client);
    await get(client);
    assert.equal(provider.asked, 1);
  });
});

test("a refused token is replaced, and the call repeated under the same key", async () => {
  const seen: Seen[] = [];
  const provider = new Provider(["old", "new"]);
  await withPeer(gate(["new"], seen), async ({ connect }) => {
    const client = await connect({ tokenProvider: provider.ask });
    await client.goals.createGoal({ title: "x" });
    assert.deepEqual(tokens(seen), ["old", "new"]);
    assert.ok(seen[0]?.key !== "" && seen[0]?.key === seen[1]?.key);
    await get(client);
    assert.equal(provider.asked, 2);
  });
});

test("calls that are refused together share the question", async () => {
  const provider = new Provider(["old", "new"], 20);
  await withPeer(gate(["new"]), async ({ connect }) => {
    await many(await connect({ tokenProvider: provider.ask }));
    assert.equal(provider.asked, 2);
  });
});

test("a second refusal is the caller's, and nobody is stormed then", async () => {
  const seen: Seen[] = [];
  const provider = new Provider(Array.from({ length: 1000 }, (_, number) => `bad-${number}`));
  await withPeer(gate([], seen), async ({ connect }) => {
    const client = await connect({ tokenProvider: provider.ask });
    assert.ok((await refusal(get(client))).fromServer);
    assert.deepEqual(tokens(seen), ["bad-0", "bad-1"]);
    for (let round = 0; round < 200; round++) await refusal(get(client));
    assert.ok(provider.asked < 30 && seen.length < 30, `${provider.asked} questions, ${seen.length} calls`);
  });
});

test("where the same token comes again the caller gets the server's error", async () => {
  const seen: Seen[] = [];
  await withPeer(gate(["good"], seen), async ({ connect }) => {
    const client = await connect({ tokenProvider: () => "bad" });
    const error = await refusal(get(client));
    assert.ok(error.fromServer && seen.length === 1);
  });
});

const useless: Answer[] = [
  new RangeError("the secret is s3cret"), "", "x".repeat(257), "a\0b", "\ud800", { text: "s3cret", validForMs: 0 },
];
for (const answer of useless) {
  const name = answer instanceof Error ? "an error" : JSON.stringify(answer).slice(0, 30);
  test(`a provider with ${name} ends the call before it begins, and rests`, async () => {
    const provider = new Provider([answer]);
    await withPeer(gate(["good"]), async ({ connect }) => {
      const client = await connect({ tokenProvider: provider.ask });
      const error = await refusal(client.goals.createGoal({ title: "x" }));
      assert.deepEqual([error.notStarted, error.fromServer], [true, false]);
      assert.equal(error.message.includes("s3cret"), false);
      assert.equal(error.cause, answer instanceof Error ? answer : undefined);
      for (let round = 0; round < 50; round++) await refusal(get(client));
      assert.ok(provider.asked < 15, `${provider.asked} questions`);
      provider.answers = ["good"];
      for (let round = 0; round < 200; round++) {
        if (await get(client).then(() => true, () => false)) return;
        await sleep(20);
      }
      throw new Error("it rests for ever");
    });
  });
}

test("a provider that fails behind a refusal leaves the server's error", async () => {
  const gone = new Error("gone");
  await withPeer(gate(["good"]), async ({ connect }) => {
    const client = await connect({ tokenProvider: new Provider(["bad", gone]).ask });
    const error = await refusal(get(client));
    assert.deepEqual([error.fromServer, error.text, error.cause], [true, "no such token", gone]);
  });
});

test("a provider has its time, and what comes later is nobody's", async () => {
  let give = (_: string) => {};
  const provider = new Provider(["x"]);
  await withPeer(gate(["late"]), async ({ connect }) => {
    const tokenProvider = (signal: AbortSignal) => {
      provider.signals.push(signal);
      return new Promise<string>((resolve) => {
        give = resolve;
      });
    };
    const client = await connect({ tokenProvider, tokenTimeoutMs: 30 });
    assert.match((await refusal(get(client))).text, /did not answer in time/);
    assert.ok(provider.signals[0]?.aborted);
    give("late");
    await sleep(1);
    await refusal(get(client));
  });
});

test("a call waits for a token within its own time, and leaves the question to the others", async () => {
  let asked = 0;
  let give = (_: string) => {};
  const answer = new Promise<string>((resolve) => {
    give = resolve;
  });
  const tokenProvider = () => {
    asked += 1;
    return answer;
  };
  await withPeer(gate(["a"]), async ({ connect }) => {
    const client = await connect({ tokenProvider });
    const early = await failure(client.goals.getGoal({}, { timeoutMs: 0 }));
    assert.ok(early instanceof DeadlineExceeded && asked === 0, "it needs none any more");
    const late = await failure(client.goals.getGoal({}, { timeoutMs: 30 }));
    assert.ok(late instanceof DeadlineExceeded && late.notStarted);
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 10);
    const cancelled = await failure(client.goals.getGoal({}, { signal: cancel.signal }));
    assert.ok(cancelled instanceof CancelledCall && cancelled.notStarted);
    const other = get(client);
    give("a");
    await other;
    assert.equal(asked, 1);
  });
});

test("a call with a token of its own is left alone", async () => {
  const seen: Seen[] = [];
  const provider = new Provider(["good"]);
  await withPeer(gate(["good"], seen), async ({ connect }) => {
    const client = await connect({ tokenProvider: provider.ask });
    await refusal(client.goals.getGoal({}, { token: "mine" }));
    await refusal(client.goals.getGoal({}, { token: "" }));
    await refusal(client.progress.watch({}, { token: "mine" }).next());
    assert.deepEqual([tokens(seen), provider.asked], [["mine", "", "mine"], 0]);
  });
});

test("a refused call of a client without a provider is the caller's", async () => {
  const script = async (peer: Peer) => {
    assert.equal(text((await peer.greet()).get(8)), "a");
    peer.fail((await peer.call()).stream, UNAUTHENTICATED);
  };
  await withPeer(script, async ({ connect }) => {
    await refusal(get(await connect({ token: "a" })));
  });
});

test("a token and a provider are one too many", async () => {
  await withPeer(gate([]), async ({ connect }) => {
    await assert.rejects(connect({ token: "a", tokenProvider: () => "b" }), TypeError);
    await assert.rejects(connect({ token: (() => "a") as unknown as string }), TypeError);
  });
});

test("closing ends the question", async () => {
  const provider = new Provider(["a"], 30_000);
  await withPeer(gate(["a"]), async ({ connect }) => {
    const client = await connect({ tokenProvider: provider.ask });
    const waiting = failure(get(client));
    await sleep(10);
    await client.close();
    const error = await waiting;
    assert.ok(error instanceof CancelledCall && error.notStarted && provider.signals[0]?.aborted);
    assert.ok(await failure(get(client)) instanceof CancelledCall);
    assert.equal(provider.asked, 1);
  });
});

test("the copies of a call have the token of its attempt, and the health question has none", async () => {
  const seen: Seen[] = [];
  const script = async (peer: Peer) => {
    await peer.greet();
    const calls: number[] = [];
    for (;;) {
      const { stream, fields } = await peer.call();
      const path = text(fields.get(1));
      seen.push({ token: text(fields.get(5)), key: "", path });
      if (!path.endsWith("GetGoal")) continue;
      calls.push(stream);
      // Both copies of the first attempt are there.
      if (calls.length === 2) peer.fail(stream, UNAUTHENTICATED);
      if (calls.length === 3) peer.reply(stream, new Uint8Array(0));
    }
  };
  const provider = new Provider(["a", "b"]);
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ tokenProvider: provider.ask, healthCheck: true });
    await client.goals.getGoal({}, { hedging: { delayMs: 100 } });
    assert.deepEqual(tokens(seen), ["", "a", "a", "b"]);
    assert.match(seen[0]?.path ?? "", /HealthService/);
  });
});

/** Answers each call by what its turn says: responses, and how it ends. */
const streaming = (turns: readonly (readonly [token: string, responses: number, status: number])[]) =>
  async (peer: Peer): Promise<void> => {
    await peer.greet();
    for (const [token, responses, status] of turns) {
      const { stream, fields } = await peer.call();
      assert.equal(text(fields.get(5)), token);
      for (let number = 0; number < responses; number++) {
        peer.send(Kind.MESSAGE, 0, stream, v1.WatchResponse.encode({ cursor: `${token}${number}` }));
      }
      peer.fail(stream, status);
    }
  };

test("a stream is repeated before its first response, and not behind it", async () => {
  const script = streaming([["a", 0, UNAUTHENTICATED], ["b", 2, UNAUTHENTICATED], ["c", 1, 0]]);
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ tokenProvider: new Provider(["a", "b", "c"]).ask });
    const stream = client.progress.watch({});
    assert.equal((await stream.next()).value?.cursor, "b0");
    assert.equal((await stream.next()).value?.cursor, "b1");
    await refusal(stream.next());
    const cursors: string[] = [];
    for await (const { cursor } of client.progress.watch({})) cursors.push(cursor);
    assert.deepEqual(cursors, ["c0"]);
  });
});

test("a second refusal of a stream, and another answer, are the caller's", async () => {
  const script = streaming([["a", 0, UNAUTHENTICATED], ["b", 0, UNAUTHENTICATED], ["c", 0, 5]]);
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ tokenProvider: new Provider(["a", "b", "c"]).ask });
    await refusal(client.progress.watch({}).next());
    await sleep(60);
    assert.ok(await failure(client.progress.watch({}).next()) instanceof NotFound);
  });
});

test("a watch is taken up again under a new token where it has given something", async () => {
  const script = streaming([
    ["a", 1, UNAUTHENTICATED], ["b", 1, UNAUTHENTICATED], ["c", 0, UNAUTHENTICATED], ["d", 0, UNAUTHENTICATED],
  ]);
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ tokenProvider: new Provider(["a", "b", "c", "d"]).ask });
    const watch = client.progress.watchResuming({});
    assert.equal((await watch.next()).value?.cursor, "a0");
    assert.equal((await watch.next()).value?.cursor, "b0");
    await refusal(watch.next());
    assert.equal(watch.interruptions, 2);
  });
});

test("any other answer proves a token: one that is revoked later costs no rest", async () => {
  const script = streaming([["a", 0, 5], ["a", 0, UNAUTHENTICATED], ["b", 0, UNAUTHENTICATED], ["c", 0, 0]]);
  await withPeer(script, async ({ connect }) => {
    const provider = new Provider(["a", "b", "c"]);
    const client = await connect({ tokenProvider: provider.ask });
    assert.ok(await failure(get(client)) instanceof NotFound);
    await refusal(get(client));
    // It is asked at once, and does not rest: "b" is the first in the row.
    await client.progress.watch({}).next();
    assert.equal(provider.asked, 3);
  });
});

test("a request stream that is refused is the caller's, and the next has a new token", async () => {
  const seen: Seen[] = [];
  await withPeer(gate(["b"], seen), async ({ connect }) => {
    const client = await connect({ tokenProvider: new Provider(["a", "b"]).ask });
    async function* documents() {
      yield await Promise.resolve({});
    }
    await refusal(client.courses.ingestDocuments(documents()));
    await client.courses.ingestDocuments(documents());
    assert.deepEqual(tokens(seen), ["a", "b"]);
  });
});

test("a consumer joins under another token once", async () => {
  const said: string[] = [];
  const script = async (peer: Peer) => {
    await peer.greet();
    for (let turn = 0;; turn++) {
      const { stream, fields } = await peer.call();
      said.push(text(fields.get(5)));
      const response = { joined: { consumer: "c", ackTimeoutUs: 60_000_000 }, event: { id: "e" }, attempt: 1 };
      if (turn === 1) peer.send(Kind.MESSAGE, 0, stream, v1.ConsumeResponse.encode(response));
      peer.fail(stream, UNAUTHENTICATED);
    }
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect({ tokenProvider: new Provider(["a", "b", "c", "d", "e"]).ask });
    const consumer = client.events.consumeResuming("g", { autoExtend: false });
    const read = async () => {
      for (;;) await consumer.next();
    };
    await refusal(read());
    assert.deepEqual(said, ["a", "b", "c"], "once before a response, and once behind it");
  });
});
