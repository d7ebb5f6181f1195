/** The golden frames of Tests/Vectors, and frames that are none. */

import assert from "node:assert/strict";
import test from "node:test";

import { ReceiveWindow, SendWindow } from "../src/transport/credit.js";
import {
  decodeBlock, decodeCredit, decodeEnd, decodeGoAway, decodeHead, decodeHello, defaultHello, encodeBlock, encodeCall,
  encodeCredit, encodeFrame, encodeGoAway, encodeHello, Flag, type Frame, FrameDecoder, Kind, Reason, WireError,
} from "../src/transport/frames.js";
import { pack, Refused, unpack } from "../src/transport/compression.js";
import { fromHex, sharedFile, toHex } from "./support.js";

const golden = new Map(
  sharedFile("Vectors/wire/frames.txt").split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(" ") as [string, string, string])
    .map(([name, sender, hex]) => [name, { sender, hex }]),
);

const text = (value: string) => new TextEncoder().encode(value);

function hexOf(name: string): string {
  const frame = golden.get(name);
  assert.ok(frame, name);
  return frame.hex;
}

function framesOf(bytes: Uint8Array, size = bytes.length, minorVersion = 1): Frame[] {
  const decoder = new FrameDecoder(16384);
  decoder.agreed(minorVersion);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    decoder.push(bytes.subarray(at, at + size));
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  }
  return frames;
}

function only(name: string): Frame {
  const [frame, ...others] = framesOf(fromHex(hexOf(name)));
  assert.ok(frame !== undefined && others.length === 0);
  return frame;
}

test("golden frames of a client are written byte by byte", () => {
  const path = "hito.v1.GoalService/CreateGoal";
  const hello = encodeHello({ ...defaultHello, agent: "test", token: "secret" });
  const call = (flags: number, stream: number, block: Uint8Array, message = "") =>
    encodeFrame(Kind.CALL, flags, stream, block, text(message));
  const whole = Flag.HAS_MESSAGE | Flag.END;
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const written = new Map([
    ["call-unary", call(whole, 1, encodeCall({ path, timeoutUs: 30_000_000, idempotencyKey: "key-1" }), "\n\x03abc")],
    ["call-all-fields", call(Flag.HAS_MESSAGE, 3, encodeCall({
      path, timeoutUs: 1, idempotencyKey: "k", traceparent, token: "token", metadata: { a: "1", b: "ñ" },
    }), "x")],
    ["call-no-message", call(0, 5, encodeCall({ path }))],
    ["call-first-fragment", call(Flag.HAS_MESSAGE | Flag.MORE, 7, encodeCall({ path }), "abc")],
    ["message-fragment", encodeFrame(Kind.MESSAGE, Flag.MORE, 7, text("def"))],
    ["message-last", encodeFrame(Kind.MESSAGE, Flag.END, 7, text("ghi"))],
    ["half-close", encodeFrame(Kind.END, 0, 3)],
    ["cancel", encodeFrame(Kind.CANCEL, 0, 3)],
    ["credit-connection", encodeFrame(Kind.CREDIT, 0, 0, encodeCredit(262144))],
    ["ping", encodeFrame(Kind.PING, 0, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))],
  ]);
  for (const [name, bytes] of written) {
    const known = hexOf(name);
    // Streams are told apart by their bytes; where a golden frame is on another one, only that differs.
    assert.equal(toHex(bytes).slice(0, 12) + toHex(bytes).slice(20), known.slice(0, 12) + known.slice(20), name);
  }
  // The order of HELLO's fields is free, and ours has all of them.
  assert.deepEqual(new Map(decodeBlock(hello).fields).get(8), text("secret"));
});

test("golden frames of a server are read, however the bytes are cut", () => {
  const hello = decodeHello(only("hello-server").payload);
  assert.deepEqual(
    [hello.agent, hello.streamsMax, hello.pingIntervalMs, hello.serverId], ["test", 100, 10_000, "hito"],
  );
  const { end, rest } = decodeEnd(only("end-ok").payload, 1);
  assert.deepEqual([end.status, end.serverUs, toHex(rest)], [0, 1234, "0a03616263"]);
  const failed = decodeEnd(only("end-error").payload, 1).end;
  assert.deepEqual(
    [failed.status, failed.text, toHex(failed.details), failed.resumeCursor, { ...failed.trailers }, failed.serverUs],
    [5, "no such goal", "0801", "cursor-9", { retry: "no" }, 7],
  );
  assert.equal(only("message-empty").payload.length, 0);
  assert.equal(decodeCredit(only("credit-stream").payload), 65536);
  const { text: words, ...goAway } = decodeGoAway(only("goaway-first").payload);
  assert.deepEqual([words, goAway], ["draining", { lastStream: 2 ** 31 - 1, reason: 0, isDrain: true }]);
  assert.equal(decodeGoAway(only("goaway-fault").payload).reason, Reason.FLOW_CONTROL);

  const all = [...golden.values()].filter(({ sender }) => sender === "server").map(({ hex }) => hex).join("");
  const frames = framesOf(fromHex(all));
  for (const size of [1, 2, 7, 64]) assert.deepEqual(framesOf(fromHex(all), size), frames);
});

test("a header that is not allowed is refused before its payload", () => {
  const header = (length: number, kind: number, flags = 0, stream = 0) => {
    const bytes = encodeFrame(kind, flags, stream);
    new DataView(bytes.buffer).setUint32(0, length);
    return bytes;
  };
  const refused: [Uint8Array, number][] = [
    [header(16385, 3, 0, 1), Reason.FRAME_TOO_LARGE], [header(8193, 1), Reason.FRAME_TOO_LARGE],
    [header(0xffffffff, 4, 0, 1), Reason.FRAME_TOO_LARGE], [header(0, 0), Reason.PROTOCOL_ERROR],
    [header(2, Kind.CALL, 0, 1), Reason.PROTOCOL_ERROR], [header(0, Kind.CANCEL, 0, 1), Reason.PROTOCOL_ERROR],
    [header(2, Kind.MESSAGE, Flag.END, 1), Reason.PROTOCOL_ERROR],
    [header(2, Kind.END, Flag.MORE, 1), Reason.PROTOCOL_ERROR], [header(8, Kind.PING, 1), Reason.PROTOCOL_ERROR],
    [header(7, Kind.PING), Reason.PROTOCOL_ERROR], [header(5, Kind.CREDIT, 0, 1), Reason.PROTOCOL_ERROR],
    [header(8, Kind.PONG, 0, 1), Reason.PROTOCOL_ERROR], [header(2, Kind.MESSAGE, 0, 0), Reason.PROTOCOL_ERROR],
    [header(2, Kind.MESSAGE, 0, 2), Reason.PROTOCOL_ERROR], [header(4, Kind.CREDIT, 0, 4), Reason.PROTOCOL_ERROR],
    [header(2, Kind.MESSAGE, 0, 0x80000001), Reason.PROTOCOL_ERROR],
    [header(0, Kind.MESSAGE, Flag.MORE, 1), Reason.PROTOCOL_ERROR],
    [header(2, Kind.END, Flag.COMPRESSED, 1), Reason.PROTOCOL_ERROR],
  ];
  for (const [bytes, reason] of refused) {
    assert.throws(() => framesOf(bytes), (error: WireError) => error.reason === reason);
  }
  // Not before both sides speak the minor version that has them.
  assert.throws(() => framesOf(header(2, Kind.HEAD, 0, 1), 10, 0), WireError);
  assert.deepEqual(framesOf(header(2, Kind.HEAD, 0, 1)), []);
});

test("a block that runs past its end is refused, and so is a HELLO out of bounds", () => {
  for (const hex of ["", "00", "0001", "0003010001", "0002 0100", "0004 01000200"]) {
    assert.throws(() => decodeBlock(fromHex(hex)), WireError);
  }
  const numbers: [number, string][] = [
    [3, "00000001"], [3, "00200000"], [4, "00000001"], [6, "ffffffff"], [5, "0001"], [10, "ff"], [10, "610062"],
  ];
  for (const [tag, hex] of numbers) {
    assert.throws(() => decodeHello(encodeBlock([[tag, fromHex(hex)]])), WireError);
  }
  const twice = encodeBlock([[5, fromHex("00000001")], [5, fromHex("00000001")]]);
  assert.throws(() => decodeHello(twice), WireError);
  assert.deepEqual(decodeHello(fromHex("0000")), defaultHello);
});

test("metadata is bytes under keys that end with -bin, and no key is inherited", () => {
  const entry = (key: string, value: Uint8Array) => [6, Uint8Array.of(key.length, ...text(key), ...value)] as const;
  const head = encodeBlock([entry("a-bin", Uint8Array.of(0, 255)), entry("__proto__", text("x"))]);
  const metadata = decodeHead(head);
  assert.deepEqual(metadata["a-bin"], Uint8Array.of(0, 255));
  assert.equal(metadata["__proto__"], "x");
  assert.equal(metadata["toString"], undefined);
  for (const bad of [{ A: "x" }, { "": "x" }, { "a-bin": "x" }, { a: Uint8Array.of(1) }, { a: "\0" }]) {
    assert.throws(() => encodeCall({ path: "p", metadata: bad as never }), TypeError);
  }
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, number) => [`k${number}`, ""]));
  assert.throws(() => encodeCall({ path: "p", metadata: many }), TypeError);
  assert.throws(() => encodeCall({ path: "p", metadata: { k: "x".repeat(8192) } }), TypeError);
});

test("bad text in END never hides its status", () => {
  const { end } = decodeEnd(encodeBlock([[1, fromHex("0005")], [2, fromHex("61ff00")]]), 1);
  assert.deepEqual([end.status, end.text], [5, "a\ufffd\ufffd"]);
  assert.equal(toHex(encodeGoAway(0, 1, "é".repeat(300))).length, (6 + 512) * 2);
});

test("credit is granted in large steps, and more than was granted is refused", () => {
  const window = new ReceiveWindow(262144);
  window.received(65536);
  assert.equal(window.consumed(65535), 0);
  assert.equal(window.consumed(1), 65536);
  assert.throws(() => window.received(262145), WireError);
  const small = new ReceiveWindow(2000);
  small.received(1);
  assert.equal(small.consumed(1), 1);
  const send = new SendWindow(2 ** 31 - 1);
  assert.throws(() => send.grant(1), WireError);
});

test("compressed messages are held to their size before anything expands", () => {
  const message = text("aprender ".repeat(2000));
  const packed = pack(message);
  assert.ok(packed !== undefined && packed.length < message.length / 10);
  assert.deepEqual(new Uint8Array(unpack(packed, message.length)), message);
  assert.throws(() => unpack(packed, message.length - 1), Refused);
  assert.equal(pack(message.subarray(0, 4095)), undefined);
  const changed = (at: number, byte: number) => {
    const copy = packed.slice();
    copy[at] = byte;
    return copy;
  };
  // Another encoding, another size, more than was compressed, bytes behind it, bytes missing.
  const bombs = [changed(0, 2), changed(4, 0), changed(1, 0x7f), Uint8Array.of(...packed, 0), packed.slice(0, -1)];
  for (const bomb of bombs) assert.throws(() => unpack(bomb, 4 << 20), Refused);
  const zeros = pack(new Uint8Array(200_000));
  assert.equal(zeros, undefined, "more than 64 times what it is compressed to");
});
