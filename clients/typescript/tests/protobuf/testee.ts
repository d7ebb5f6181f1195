/**
 * What the official protobuf conformance runner talks to: our codec, for the proto3 test message, binary in and binary
 * out. Everything else that the runner asks for is skipped.
 */

import { readSync, writeSync } from "node:fs";

import {
  ConformanceRequest, ConformanceResponse, WireFormat,
} from "../../../../.build-clients/typescript/protobuf/gen/conformance/conformance.js";
import {
  TestAllTypesProto3,
} from "../../../../.build-clients/typescript/protobuf/gen/conformance/messages/test_messages_proto3.js";

/** So many bytes; undefined at the end. */
function read(size: number): Uint8Array | undefined {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const count = readSync(0, bytes, at, size - at, null);
    if (count === 0) return undefined;
    at += count;
  }
  return bytes;
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes.subarray(at));
}

function answer(request: ConformanceRequest): ConformanceResponse["result"] {
  const isOurs = request.messageType === TestAllTypesProto3.typeName
    && request.payload?.case === "protobufPayload" && request.requestedOutputFormat === WireFormat.PROTOBUF;
  if (!isOurs || request.payload?.case !== "protobufPayload") {
    return { case: "skipped", value: "proto3 in binary only" };
  }
  try {
    const message = TestAllTypesProto3.decode(request.payload.value);
    return { case: "protobufPayload", value: TestAllTypesProto3.encode(message) };
  } catch (error) {
    return { case: "parseError", value: String(error) };
  }
}

for (let head = read(4); head !== undefined; head = read(4)) {
  const request = read(new DataView(head.buffer).getUint32(0, true));
  if (request === undefined) break;
  const response = ConformanceResponse.encode({ result: answer(ConformanceRequest.decode(request)) });
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, response.length, true);
  write(size);
  write(response);
}
