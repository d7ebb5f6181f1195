/**
 * Frames and blocks of `hito/1` as bytes. Pure: no sockets, no clocks. The clause numbers (W2.1) are those of
 * Protos/PROTOCOL.md.
 */

import type { Metadata } from "../rpc/method.js";

export const Kind = {
  HELLO: 1, CALL: 2, MESSAGE: 3, END: 4, CANCEL: 5, CREDIT: 6, PING: 7, PONG: 8, GOAWAY: 9, HEAD: 10,
} as const;

export const Flag = { END: 0x01, MORE: 0x02, HAS_MESSAGE: 0x04, COMPRESSED: 0x08 } as const;

/** GOAWAY reasons (W11.2). */
export const Reason = {
  NO_ERROR: 0, PROTOCOL_ERROR: 1, FRAME_TOO_LARGE: 2, FLOW_CONTROL: 3, HELLO_TIMEOUT: 4, ABUSE: 5,
  KEEPALIVE_TIMEOUT: 6, INTERNAL: 7, IDLE: 8, MAX_AGE: 9,
} as const;

export const MINOR_VERSION = 1;
export const HEADER_SIZE = 10;
export const HELLO_PAYLOAD_MAX = 8192;
export const FRAME_PAYLOAD_MIN = 16384;
export const FRAME_PAYLOAD_MAX = 1 << 20;
export const MESSAGE_MAX_MIN = 16384;
/** Ours: as much as a message can be in memory. */
export const MESSAGE_MAX_MAX = 2 ** 31 - 1;
export const CREDIT_MAX = 2 ** 31 - 1;
export const FRAGMENT_MIN = 1024;
export const STREAM_ID_MAX = 2 ** 31 - 1;
const METADATA_ENTRIES_MAX = 64;
const METADATA_BYTES_MAX = 8192;
const ENCODINGS_MAX = 16;

// What a server may send (W2.3, W2.4): kind -> allowed flags.
const serverFlags = new Map<number, number>([
  [Kind.HELLO, 0], [Kind.MESSAGE, Flag.MORE], [Kind.END, Flag.HAS_MESSAGE], [Kind.CREDIT, 0], [Kind.PING, 0],
  [Kind.PONG, 0], [Kind.GOAWAY, 0],
]);
// The same since minor version 1.
const serverFlags1 = new Map<number, number>([
  ...serverFlags, [Kind.MESSAGE, Flag.MORE | Flag.COMPRESSED], [Kind.END, Flag.HAS_MESSAGE | Flag.COMPRESSED],
  [Kind.HEAD, 0],
]);
const onConnection = new Set<number>([Kind.HELLO, Kind.PING, Kind.PONG, Kind.GOAWAY]);
const fixedSizes = new Map<number, number>([[Kind.CREDIT, 4], [Kind.PING, 8], [Kind.PONG, 8]]);

/** The peer broke the protocol: the connection ends with GOAWAY and this reason. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly reason: number;

  constructor(reason: number, text: string) {
    super(text);
    this.reason = reason;
  }
}

/** One frame (W2.1). */
export interface Frame {
  readonly kind: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

const empty = new Uint8Array(0);
const toUTF8 = new TextEncoder();
const strictUTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientUTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Writes a frame of several parts as one piece of bytes. */
export function encodeFrame(
  kind: number, flags: number, stream: number, payload: Uint8Array = empty, more: Uint8Array = empty,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE + payload.length + more.length);
  const view = viewOf(bytes);
  view.setUint32(0, payload.length + more.length);
  view.setUint8(4, kind);
  view.setUint8(5, flags);
  view.setUint32(6, stream);
  bytes.set(payload, HEADER_SIZE);
  bytes.set(more, HEADER_SIZE + payload.length);
  return bytes;
}

/** Cuts a stream of bytes into the frames that a server may send. */
export class FrameDecoder {
  readonly #payloadMax: number;
  #flags = serverFlags;
  #buffer = new Uint8Array(4096);
  #start = 0;
  #end = 0;

  constructor(payloadMax: number) {
    this.#payloadMax = payloadMax;
  }

  /** Both sides speak this minor version. */
  agreed(minorVersion: number): void {
    if (minorVersion >= 1) this.#flags = serverFlags1;
  }

  /** Takes what arrived; `next` has the frames of it. */
  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) {
      const kept = this.#buffer.subarray(this.#start, this.#end);
      const needed = kept.length + bytes.length;
      // In place where half of it is free: a peer that sends single bytes must not cost a copy for each.
      const room = needed * 2 <= this.#buffer.length ? this.#buffer : new Uint8Array(needed * 2);
      room.set(kept);
      this.#buffer = room;
      this.#start = 0;
      this.#end = kept.length;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The next frame that is whole. */
  next(): Frame | undefined {
    if (this.#end - this.#start < HEADER_SIZE) return undefined;
    const view = new DataView(this.#buffer.buffer, this.#start, HEADER_SIZE);
    const length = view.getUint32(0);
    const kind = view.getUint8(4);
    const flags = view.getUint8(5);
    const stream = view.getUint32(6);
    // Before waiting for the payload: nothing that is too long is ever buffered.
    this.#check(length, kind, flags, stream);
    const from = this.#start + HEADER_SIZE;
    if (this.#end - from < length) return undefined;
    this.#start = from + length;
    return { kind, flags, stream, payload: this.#buffer.slice(from, from + length) };
  }

  #check(length: number, kind: number, flags: number, stream: number): void {
    if (length > (kind === Kind.HELLO ? HELLO_PAYLOAD_MAX : this.#payloadMax)) {
      throw new WireError(Reason.FRAME_TOO_LARGE, `frame of ${length} bytes`);
    }
    const allowed = this.#flags.get(kind);
    if (
      allowed === undefined || (flags & ~allowed) !== 0 || (kind === Kind.END && flags === Flag.COMPRESSED)
    ) {
      throw broken(`frame kind ${kind} with flags ${flags}`);
    }
    const isOfConnection = stream === 0 && (onConnection.has(kind) || kind === Kind.CREDIT);
    const isOfCall = stream % 2 === 1 && stream <= STREAM_ID_MAX && !onConnection.has(kind);
    if (!isOfConnection && !isOfCall) throw broken(`frame kind ${kind} on stream ${stream}`);
    const hasWrongSize = length !== (fixedSizes.get(kind) ?? length);
    if (hasWrongSize || (kind === Kind.MESSAGE && (flags & Flag.MORE) !== 0 && length === 0)) {
      throw broken(`frame kind ${kind} of ${length} bytes`);
    }
  }
}

export type Field = readonly [tag: number, value: Uint8Array];

/** A block (W3.1) of fields, in the order given. */
export function encodeBlock(fields: readonly Field[]): Uint8Array {
  const size = fields.reduce((sum, [, value]) => sum + 3 + value.length, 0);
  const bytes = new Uint8Array(2 + size);
  const view = viewOf(bytes);
  view.setUint16(0, size);
  let at = 2;
  for (const [tag, value] of fields) {
    view.setUint8(at, tag);
    view.setUint16(at + 1, value.length);
    bytes.set(value, at + 3);
    at += 3 + value.length;
  }
  return bytes;
}

/** The fields of the block at the start of a payload, and what follows the block. */
export function decodeBlock(payload: Uint8Array): { fields: Field[]; rest: Uint8Array } {
  const view = viewOf(payload);
  if (payload.length < 2) throw broken("block without length");
  const end = 2 + view.getUint16(0);
  if (end > payload.length) throw broken("block runs past its frame");
  const fields: Field[] = [];
  let at = 2;
  while (at < end) {
    if (at + 3 > end) throw broken("field runs past its block");
    const tag = view.getUint8(at);
    const next = at + 3 + view.getUint16(at + 1);
    if (next > end) throw broken("field runs past its block");
    fields.push([tag, payload.subarray(at + 3, next)]);
    at = next;
  }
  return { fields, rest: payload.subarray(end) };
}

/** What a side says of itself (W4.2). */
export interface Hello {
  readonly minorVersion: number;
  readonly agent: string;
  readonly framePayloadMax: number;
  readonly messageMax: number;
  readonly streamsMax: number;
  readonly streamCredit: number;
  readonly connectionCredit: number;
  readonly token: string;
  readonly pingIntervalMs: number;
  readonly serverId: string;
  readonly encodings: Uint8Array;
}

/** What absent fields mean. */
export const defaultHello: Hello = {
  minorVersion: 0,
  agent: "",
  framePayloadMax: 16384,
  messageMax: 4 << 20,
  streamsMax: 100,
  streamCredit: 256 << 10,
  connectionCredit: 1 << 20,
  token: "",
  pingIntervalMs: 10_000,
  serverId: "",
  encodings: empty,
};

/** The payload of a client's HELLO. */
export function encodeHello(hello: Hello): Uint8Array {
  const fields: Field[] = [
    [1, u16(hello.minorVersion)],
    [2, cut(hello.agent, 128)],
    [3, u32(hello.framePayloadMax)],
    [4, u32(hello.messageMax)],
    [6, u32(hello.streamCredit)],
    [7, u32(hello.connectionCredit)],
  ];
  if (hello.encodings.length > 0) fields.push([11, hello.encodings]);
  if (hello.token !== "") fields.push([8, text("token", hello.token, 256)]);
  return encodeBlock(fields);
}

const helloFields: ReadonlyMap<number, readonly [name: keyof Hello, width: number]> = new Map([
  [1, ["minorVersion", 2]], [2, ["agent", 0]], [3, ["framePayloadMax", 4]], [4, ["messageMax", 4]],
  [5, ["streamsMax", 4]], [6, ["streamCredit", 4]], [7, ["connectionCredit", 4]], [9, ["pingIntervalMs", 4]],
  [10, ["serverId", 0]],
]);

/** A server's HELLO, checked (W4.4). */
export function decodeHello(payload: Uint8Array): Hello {
  const { fields, rest } = decodeBlock(payload);
  if (rest.length > 0) throw broken("bytes after the block of HELLO");
  const said: { [name: string]: string | number | Uint8Array } = {};
  for (const [tag, value] of fields) {
    const [name, width] = tag === 11 ? ["encodings", -1] as const : helloFields.get(tag) ?? [undefined, 0];
    if (name === undefined) continue;
    if (name in said) throw broken(`HELLO says ${name} twice`);
    if (width < 0 && value.length > ENCODINGS_MAX) throw broken("HELLO lists too many encodings");
    said[name] = width < 0 ? value : width === 0 ? strictText(value, 128) : number(value, width);
  }
  const hello: Hello = { ...defaultHello, ...said };
  if (
    hello.framePayloadMax < FRAME_PAYLOAD_MIN || hello.framePayloadMax > FRAME_PAYLOAD_MAX
    || hello.messageMax < MESSAGE_MAX_MIN
    || Math.max(hello.streamCredit, hello.connectionCredit) > CREDIT_MAX
  ) {
    throw broken("a limit in HELLO is out of its range");
  }
  return hello;
}

/** What a CALL says besides its message (W5.2). */
export interface CallHeader {
  readonly path: string;
  readonly timeoutUs?: number;
  readonly idempotencyKey?: string;
  readonly traceparent?: string;
  readonly token?: string;
  readonly metadata?: Metadata;
}

/** The block of a CALL. `TypeError` where the caller's texts are not allowed (W5.2, W5.3). */
export function encodeCall(call: CallHeader): Uint8Array {
  const fields: Field[] = [[1, text("method path", call.path, 256)]];
  if (call.timeoutUs !== undefined) fields.push([2, u64(Math.max(0, Math.floor(call.timeoutUs)))]);
  if (call.idempotencyKey) fields.push([3, text("idempotency key", call.idempotencyKey, 128)]);
  if (call.traceparent) fields.push([4, text("traceparent", call.traceparent, 128)]);
  if (call.token) fields.push([5, text("token", call.token, 256)]);
  for (const entry of encodeMetadata(call.metadata ?? {})) fields.push([6, entry]);
  return encodeBlock(fields);
}

/** What a server's END says besides its message (W7.2). */
export interface End {
  readonly status: number;
  readonly text: string;
  readonly details: Uint8Array;
  readonly resumeCursor: string;
  readonly trailers: Metadata;
  /** Undefined where it is not said. */
  readonly serverUs: number | undefined;
  readonly notStarted: boolean;
}

/** An END's block, and the message bytes after it. Bad text never hides the status (W3.4). */
export function decodeEnd(payload: Uint8Array, minorVersion: number): { end: End; rest: Uint8Array } {
  const { fields, rest } = decodeBlock(payload);
  const seen = new Map<number, Uint8Array>();
  const trailers = newMetadata();
  for (const [tag, value] of fields) {
    if (tag === 6) {
      const [key, content] = decodeMetadata(value, minorVersion);
      trailers[key] = content;
    } else if ([1, 2, 3, 4, 7, 8].includes(tag)) {
      if (seen.has(tag)) throw broken(`END has field ${tag} twice`);
      seen.set(tag, value);
    }
  }
  if (seen.get(8)?.length) throw broken("END's field 8 carries bytes");
  const status = seen.get(1);
  const time = seen.get(7);
  const end = {
    status: status === undefined ? 0 : number(status, 2),
    text: lenientText(seen.get(2) ?? empty),
    details: seen.get(3) ?? empty,
    resumeCursor: lenientText(seen.get(4) ?? empty),
    trailers,
    serverUs: time === undefined ? undefined : number(time, 8),
    notStarted: seen.has(8),
  };
  return { end, rest };
}

/** A server's HEAD (W7.7): metadata before the first message of a call. */
export function decodeHead(payload: Uint8Array): Metadata {
  const { fields, rest } = decodeBlock(payload);
  if (rest.length > 0) throw broken("bytes after the block of HEAD");
  const metadata = newMetadata();
  for (const [tag, value] of fields) {
    if (tag !== 6) continue;
    const [key, content] = decodeMetadata(value, 1);
    metadata[key] = content;
  }
  return metadata;
}

/** The peer takes no more calls (W11.1). */
export interface GoAway {
  readonly lastStream: number;
  readonly reason: number;
  readonly text: string;
  readonly isDrain: boolean;
}

export function encodeGoAway(lastStream: number, reason: number, why: string): Uint8Array {
  const words = cut(why, 512);
  const bytes = new Uint8Array(6 + words.length);
  const view = viewOf(bytes);
  view.setUint32(0, lastStream);
  view.setUint16(4, reason);
  bytes.set(words, 6);
  return bytes;
}

export function decodeGoAway(payload: Uint8Array): GoAway {
  if (payload.length < 6) throw broken("short GOAWAY");
  const view = viewOf(payload);
  const said = view.getUint16(4);
  const reason = said > Reason.MAX_AGE ? Reason.INTERNAL : said;
  return {
    lastStream: view.getUint32(0),
    reason,
    text: lenientText(payload.subarray(6, 6 + 512)),
    isDrain: reason === Reason.NO_ERROR || reason === Reason.IDLE || reason === Reason.MAX_AGE,
  };
}

export function encodeCredit(amount: number): Uint8Array {
  return u32(amount);
}

export function decodeCredit(payload: Uint8Array): number {
  const amount = viewOf(payload).getUint32(0);
  if (amount === 0) throw broken("CREDIT of nothing");
  return amount;
}

function broken(text: string): WireError {
  return new WireError(Reason.PROTOCOL_ERROR, text);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function u16(value: number): Uint8Array {
  return new Uint8Array([value >>> 8, value]);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value);
  return bytes;
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt(Math.min(value, Number.MAX_SAFE_INTEGER)));
  return bytes;
}

function number(value: Uint8Array, width: number): number {
  if (value.length !== width) throw broken("a number of a wrong width");
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}

function strictText(value: Uint8Array, limit: number): string {
  let decoded = "\0";
  try {
    decoded = strictUTF8.decode(value);
  } catch {
    // As NUL, which is not allowed either.
  }
  if (value.length > limit || decoded.includes("\0")) throw broken("text that is not allowed");
  return decoded;
}

function lenientText(value: Uint8Array): string {
  return value.length === 0 ? "" : lenientUTF8.decode(value).split("\0").join("\ufffd");
}

function text(what: string, value: string, limit: number): Uint8Array {
  const bytes = toUTF8.encode(value);
  if (bytes.length < 1 || bytes.length > limit || bytes.includes(0)) {
    throw new TypeError(`${what}: 1 to ${limit} bytes of UTF-8 without NUL`);
  }
  return bytes;
}

/** As much of a text as fits, in whole characters. */
function cut(value: string, limit: number): Uint8Array {
  const bytes = new Uint8Array(limit);
  return bytes.subarray(0, toUTF8.encodeInto(value, bytes).written);
}

/** Without a prototype: a peer chooses the keys. */
function newMetadata(): { [key: string]: string | Uint8Array } {
  return Object.create(null);
}

export const noMetadata: Metadata = Object.freeze(newMetadata());

function* encodeMetadata(metadata: Metadata): Iterable<Uint8Array> {
  const entries = Object.entries(metadata);
  if (entries.length > METADATA_ENTRIES_MAX) {
    throw new TypeError(`more than ${METADATA_ENTRIES_MAX} metadata entries`);
  }
  let total = 0;
  for (const [key, content] of entries) {
    if (!/^[a-z0-9_.-]{1,64}$/.test(key)) {
      throw new TypeError(`metadata key ${JSON.stringify(key)}: 1 to 64 of a-z 0-9 _ . -`);
    }
    if ((typeof content !== "string") !== key.endsWith("-bin")) {
      throw new TypeError(`metadata ${key}: keys that end with -bin have bytes, others text`);
    }
    const value = typeof content === "string" ? toUTF8.encode(content) : content;
    if (typeof content === "string" && content.includes("\0")) {
      throw new TypeError(`metadata ${key} contains NUL`);
    }
    total += key.length + value.length;
    if (total > METADATA_BYTES_MAX) throw new TypeError(`more than ${METADATA_BYTES_MAX} bytes of metadata`);
    const entry = new Uint8Array(1 + key.length + value.length);
    entry[0] = key.length;
    entry.set(toUTF8.encode(key), 1);
    entry.set(value, 1 + key.length);
    yield entry;
  }
}

function decodeMetadata(value: Uint8Array, minorVersion: number): [string, string | Uint8Array] {
  const length = value[0];
  if (length === undefined || value.length < 1 + length) throw broken("metadata runs past its field");
  const key = lenientText(value.subarray(1, 1 + length));
  const content = value.subarray(1 + length);
  return [key, minorVersion >= 1 && key.endsWith("-bin") ? content : lenientText(content)];
}
