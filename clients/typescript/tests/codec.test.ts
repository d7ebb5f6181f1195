/** What the codec promises beside the golden messages. */

import assert from "node:assert/strict";
import test from "node:test";

import * as v1 from "../src/gen/hito/v1/index.js";
import { toDate, toTimestamp } from "../src/codec/time.js";
import { DecodeError, nameOf, Reader, Writer } from "../src/codec/wire.js";
import * as fixture from "./gen/fixture/v1/index.js";
import { fromHex, toHex } from "./support.js";

test("a request is a plain object of what is said, at every depth", () => {
  const bytes = v1.CreateGoalRequest.encode({ title: "Aprender", tasks: [{ title: "Primera" }, {}] });
  const request = v1.CreateGoalRequest.decode(bytes);
  assert.equal(request.title, "Aprender");
  assert.deepEqual(request.tasks.map((task) => task.title), ["Primera", ""]);
  assert.deepEqual(request.tasks[1], v1.NewTask.create());
});

test("numbers of 64 bits are numbers as far as those are exact, and refused beyond", () => {
  const range = (value: number) => v1.TimeRange.decode(v1.TimeRange.encode({ startUs: value })).startUs;
  for (const value of [0, 1, -1, 2 ** 32, -(2 ** 32) - 7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    assert.equal(range(value), value);
  }
  assert.throws(() => v1.TimeRange.encode({ startUs: 2 ** 53 }), RangeError);
  assert.throws(() => v1.TimeRange.encode({ startUs: 0.5 }), RangeError);
  // 2^53
  assert.throws(() => v1.TimeRange.decode(fromHex("08 80808080808080 10")), RangeError);
});

test("numbers that do not fit their field are refused before they are sent", () => {
  assert.throws(() => v1.PageRequest.encode({ pageSize: 2 ** 31 }), RangeError);
  assert.throws(() => fixture.Scalars.encode({ uint32Value: -1 }), RangeError);
  assert.throws(() => fixture.Scalars.encode({ int64Value: 2n ** 63n }), RangeError);
  assert.throws(() => fixture.Leaf.encode({ name: "half \ud800" }), TypeError);
});

test("the number of an enum that is not known is kept", () => {
  const bytes = fromHex("30 63");
  const goal = v1.Goal.decode(bytes);
  assert.equal(goal.status, 99);
  assert.equal(nameOf(v1.WorkStatus, goal.status), "99");
  assert.equal(nameOf(v1.WorkStatus, v1.WorkStatus.COMPLETED), "COMPLETED");
  assert.equal(toHex(v1.Goal.encode(goal)), "3063");
});

test("fields that are not known survive, also in a copy that was changed", () => {
  const leaf = fixture.Leaf.decode(fromHex("0a016e f80105"));
  assert.deepEqual(Object.keys(leaf).sort(), ["id", "name"]);
  assert.equal(toHex(fixture.Leaf.encode({ ...leaf, name: "m" })), "0a016df80105");
});

test("messages deeper than a hundred are refused, both ways", () => {
  const nested = (depth: number) => {
    const writer = new Writer();
    for (let level = 0; level < depth; level++) writer.tag(11);
    for (let level = 0; level < depth; level++) writer.tag(12);
    return writer.finish();
  };
  fixture.Leaf.decode(nested(100));
  assert.throws(() => fixture.Leaf.decode(nested(101)), DecodeError);
  assert.throws(() => fixture.Leaf.decode(nested(100_000)), DecodeError);
});

test("a length that promises more than there is takes no memory", () => {
  assert.throws(() => fixture.Leaf.decode(fromHex("0a ffffffff0f")), DecodeError);
  assert.throws(() => fixture.Lists.decode(fromHex("0a ffffffff07")), DecodeError);
});

test("what is small on the wire and large in memory is bounded", () => {
  const many = (count: number, field: string) => fromHex(field.repeat(count));
  assert.equal(fixture.Lists.decode(many(100_000, "8a0100")).leafValues.length, 100_000);
  assert.throws(() => fixture.Lists.decode(many(200_000, "8a0100")), DecodeError);
  assert.throws(() => fixture.Lists.decode(many(200_000, "7a0100")), DecodeError);
  assert.equal(fixture.Lists.decode(many(200_000, "7a00")).bytesValues.length, 200_000);
  const roomy = fixture.Lists.encode({ leafValues: Array.from({ length: 150_000 }, () => ({ name: "x".repeat(16) })) });
  assert.equal(fixture.Lists.decode(roomy).leafValues.length, 150_000);
});

test("a map's keys cannot be what objects inherit", () => {
  const maps = fixture.Maps.decode(fixture.Maps.encode({ labels: new Map([["__proto__", "x"]]) }));
  assert.equal(maps.labels.get("__proto__"), "x");
  assert.equal(({} as { x?: string }).x, undefined);
});

test("long and short text, long messages in short ones", () => {
  const names = ["", "a", "é".repeat(20), "x".repeat(127), "x".repeat(128), "漢".repeat(6000), "😀".repeat(90_000)];
  for (const name of names) {
    const tree = { branches: [{ twigs: [{ leaves: [{ name, id: 1n }], name }] }] };
    const read = fixture.Tree.decode(fixture.Tree.encode(tree));
    assert.equal(read.branches[0]?.twigs[0]?.leaves[0]?.name, name);
    assert.equal(read.branches[0]?.twigs[0]?.name, name);
  }
});

test("what a message has of bytes is its own", () => {
  const bytes = fixture.Scalars.encode({ bytesValue: Uint8Array.of(1, 2, 3) });
  const message = fixture.Scalars.decode(bytes);
  bytes.fill(0);
  assert.deepEqual(message.bytesValue, Uint8Array.of(1, 2, 3));
});

test("times are dates", () => {
  const date = new Date(1_700_000_000_123);
  assert.equal(toDate(toTimestamp(date)).getTime(), date.getTime());
  assert.equal(toDate(toTimestamp(new Date(-1))).getTime(), -1);
  assert.throws(() => toTimestamp(new Date(Number.NaN)), RangeError);
});

test("a reader gives what a writer took, whatever the coding", () => {
  const writer = new Writer();
  writer.sint32(-(2 ** 31));
  writer.sint64(Number.MIN_SAFE_INTEGER);
  writer.fixed64(5);
  writer.sfixed64(-5);
  writer.uint64(2 ** 53 - 1);
  const reader = new Reader(writer.finish());
  assert.equal(reader.sint32(), -(2 ** 31));
  assert.equal(reader.sint64(), Number.MIN_SAFE_INTEGER);
  assert.equal(reader.fixed64(), 5);
  assert.equal(reader.sfixed64(), -5);
  assert.equal(reader.uint64(), 2 ** 53 - 1);
});
