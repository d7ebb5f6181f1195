/** The golden messages of Tests/Vectors, which official protobuf wrote. */

import assert from "node:assert/strict";
import test from "node:test";

import { DecodeError, type MessageType } from "../src/codec/wire.js";
import * as fixture from "./gen/fixture/v1/index.js";
import { fromHex, sharedFile, toHex } from "./support.js";

interface Vector {
  name: string;
  type: string;
  bytes: string;
  reencoded?: string;
  reason?: string;
  lossy?: boolean;
}

const vectors: Vector[] = JSON.parse(sharedFile("Vectors/messages/vectors.json")).vectors;

const types = new Map<string, MessageType<any>>(
  [
    fixture.Leaf, fixture.Scalars, fixture.Lists, fixture.Maps, fixture.Choices, fixture.Names, fixture.Tree,
  ].map((type) => [type.typeName, type as MessageType<any>]),
);

function typeOf(vector: Vector): MessageType<any> {
  const type = types.get(vector.type);
  assert.ok(type, vector.type);
  return type;
}

/** What the server's guard refuses, and protobuf itself does not. */
function isForTheServer({ name, reason }: Vector): boolean {
  return reason === "a singular message field occurs twice" || reason === "text contains NUL" || [
    "group", "group in a known field", "varint above 64 bits", "text as number", "number as text", "bool as bytes",
    "double as fixed32", "message as number",
  ].includes(name);
}

test("golden messages are read, and written as official protobuf writes them", () => {
  for (const vector of vectors.filter((vector) => vector.reason === undefined)) {
    const type = typeOf(vector);
    const message = type.decode(fromHex(vector.bytes));
    if (vector.type === "fixture.v1.Maps") {
      // Maps have no order on the wire.
      assert.deepEqual(type.decode(type.encode(message)), message, vector.name);
      assert.deepEqual(type.decode(fromHex(vector.reencoded ?? vector.bytes)), message, vector.name);
    } else if (vector.name === "unknown fields of every wire type") {
      // The server drops them; a client that changes what it read keeps them.
      const known = "0a016e";
      const unknown = vector.bytes.split(known).join("");
      assert.equal(toHex(type.encode(message)), known + unknown);
    } else {
      const expected = vector.lossy ? vector.bytes : vector.reencoded ?? vector.bytes;
      assert.equal(toHex(type.encode(message)), expected, `${vector.type} ${vector.name}`);
    }
  }
});

test("what is no message is refused", () => {
  for (const vector of vectors.filter((vector) => vector.reason !== undefined && !isForTheServer(vector))) {
    const bytes = fromHex(vector.bytes);
    assert.throws(() => typeOf(vector).decode(bytes), DecodeError);
  }
});

test("what protobuf reads differently than the server does is read so", () => {
  for (const vector of vectors.filter(isForTheServer)) typeOf(vector).decode(fromHex(vector.bytes));
});
