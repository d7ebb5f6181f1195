/** Consumers of groups, through a stream that breaks. */

import assert from "node:assert/strict";
import test from "node:test";

import { AlreadyExists, v1 } from "../src/index.js";
import { sleep } from "../src/transport/scope.js";
import { Kind } from "../src/transport/frames.js";
import { type Peer, withPeer } from "./peer.js";

const send = (peer: Peer, stream: number, response: Parameters<typeof v1.ConsumeResponse.encode>[0]) =>
  peer.send(Kind.MESSAGE, 0, stream, v1.ConsumeResponse.encode(response));

async function step(peer: Peer) {
  return v1.ConsumeRequest.decode((await peer.frame(Kind.MESSAGE)).payload).step;
}

test("a consumer joins again under its name, and what was not settled comes again", async () => {
  const joins: v1.JoinGroup[] = [];
  const settled: string[] = [];
  const joined = { consumer: "c-1", ackTimeoutUs: 60_000_000 };
  const script = async (peer: Peer) => {
    await peer.greet();
    for (const events of [["e-1", "e-2"], ["e-2"]]) {
      const { stream } = await peer.call();
      const join = await step(peer);
      assert.ok(join?.case === "join");
      joins.push(join.value);
      send(peer, stream, { joined });
      for (const id of events) send(peer, stream, { event: { id }, attempt: joins.length });
      const settle = await step(peer);
      assert.ok(settle?.case === "settle");
      settled.push(...settle.value.eventIds);
      send(peer, stream, { settled: { eventIds: settle.value.eventIds } });
      if (joins.length === 1) {
        peer.fail(stream, 14);
      } else {
        await peer.frame(Kind.END);
        peer.fail(stream, 0);
      }
    }
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect();
    const consumer = client.events.consumeResuming("g", { autoExtend: false });
    const seen: string[] = [];
    for await (const delivery of consumer) {
      seen.push(`${delivery.event.id} ${delivery.attempt}`);
      if (seen.length === 2) {
        for (let round = 0; delivery.isHeld && round < 100; round++) await sleep(10);
        assert.equal(await delivery.ack(), false, "the stream that it came on has ended");
        continue;
      }
      assert.ok(delivery.isHeld);
      assert.equal(await delivery.ack(), true);
      assert.equal(delivery.isHeld, false);
      if (seen.length === 3) break;
    }
    assert.deepEqual(seen, ["e-1 1", "e-2 1", "e-2 2"]);
    assert.deepEqual(settled, ["e-1", "e-2"]);
    assert.deepEqual([consumer.name, consumer.interruptions], ["c-1", 1]);
    assert.deepEqual(joins.map((join) => join.consumer), ["", "c-1"]);
    assert.equal(joins[1]?.instance, joins[0]?.instance);
  });
});

test("a name that is taken ends a consumer that has just begun", async () => {
  const script = async (peer: Peer) => {
    await peer.greet();
    const details = v1.ErrorDetails.encode({ reason: v1.ErrorReason.CONSUMER_NAME_TAKEN });
    peer.fail((await peer.call()).stream, 6, [[3, details]]);
  };
  await withPeer(script, async ({ connect }) => {
    const client = await connect();
    await assert.rejects(client.events.consumeResuming("g", { consumer: "c" }).next(), AlreadyExists);
  });
});
