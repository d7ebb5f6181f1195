import { DEPTH_MAX } from "./errors.js";
import type { Init, MessageType } from "./wire.js";

/** Where an encoder gives up: no length in the format is larger. */
const SIZE_MAX = 2 ** 31 - 1;
const TWO_32 = 2 ** 32;
const toUTF8 = new TextEncoder();

/** Writes fields one after the other. */
export class Writer {
  #bytes = new Uint8Array(64);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #depth = 0;

  /** What was written; valid until more is. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  tag(tag: number): this {
    this.#short(tag);
    return this;
  }

  /** Begins what has a length; `end` takes what this returns. */
  begin(tag: number): number {
    this.#short(tag);
    this.#room(1);
    return ++this.#at;
  }

  /** The length goes before what was written since: in one byte mostly, which is kept free for it. */
  end(start: number): void {
    const length = this.#at - start;
    if (length < 128) {
      this.#bytes[start - 1] = length;
      return;
    }
    const more = length < 1 << 14 ? 1 : length < 1 << 21 ? 2 : length < 1 << 28 ? 3 : 4;
    this.#room(more);
    this.#bytes.copyWithin(start + more, start, this.#at);
    this.#at = start - 1;
    this.#short(length);
    this.#at = start + more + length;
  }

  message<T extends object>(type: MessageType<T>, message: Init<T>): void {
    if (++this.#depth > DEPTH_MAX) throw new RangeError(`messages deeper than ${DEPTH_MAX}`);
    this.#room(1);
    const start = ++this.#at;
    type.write(message, this);
    this.end(start);
    this.#depth -= 1;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw new RangeError(`${value} is no integer of 32 bits`);
    if (value < 0) this.#varint(value >>> 0, TWO_32 - 1);
    else this.#short(value);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw new RangeError(`${value} is no unsigned integer of 32 bits`);
    this.#short(value);
  }

  sint32(value: number): void {
    if ((value | 0) !== value) throw new RangeError(`${value} is no integer of 32 bits`);
    this.#short(((value << 1) ^ (value >> 31)) >>> 0);
  }

  int64(value: number): void {
    const high = Math.floor(integer(value) / TWO_32);
    this.#varint(value - high * TWO_32, high >>> 0);
  }

  uint64(value: number): void {
    if (value < 0) throw new RangeError(`${value} is below 0`);
    this.int64(value);
  }

  sint64(value: number): void {
    this.sint64Big(BigInt(integer(value)));
  }

  int64Big(value: bigint): void {
    this.uint64Big(BigInt.asUintN(64, signed(value)));
  }

  uint64Big(value: bigint): void {
    unsigned(value);
    this.#varint(Number(value & 0xffff_ffffn), Number(value >> 32n));
  }

  sint64Big(value: bigint): void {
    this.uint64Big(BigInt.asUintN(64, (signed(value) << 1n) ^ (value >> 63n)));
  }

  bool(value: boolean): void {
    this.#short(value ? 1 : 0);
  }

  fixed32(value: number): void {
    if (value >>> 0 !== value) throw new RangeError(`${value} is no unsigned integer of 32 bits`);
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }

  sfixed32(value: number): void {
    if ((value | 0) !== value) throw new RangeError(`${value} is no integer of 32 bits`);
    const at = this.#take(4);
    this.#view.setInt32(at, value, true);
  }

  fixed64(value: number): void {
    this.fixed64Big(BigInt(integer(value)));
  }

  sfixed64(value: number): void {
    this.sfixed64Big(BigInt(integer(value)));
  }

  fixed64Big(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigUint64(at, unsigned(value), true);
  }

  sfixed64Big(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigInt64(at, signed(value), true);
  }

  float(value: number): void {
    const at = this.#take(4);
    this.#view.setFloat32(at, value, true);
  }

  double(value: number): void {
    const at = this.#take(8);
    this.#view.setFloat64(at, value, true);
  }

  bytes(value: Uint8Array): void {
    this.#short(value.length);
    this.raw(value);
  }

  string(value: string): void {
    if (/\p{Surrogate}/u.test(value)) throw new TypeError("text with half a character");
    // No character of a string is more than three bytes.
    this.#room(value.length * 3 + 5);
    const start = ++this.#at;
    this.#at += toUTF8.encodeInto(value, this.#bytes.subarray(start)).written;
    this.end(start);
  }

  /** Makes room, moves on, and returns where it was. */
  #take(size: number): number {
    this.#room(size);
    this.#at += size;
    return this.#at - size;
  }

  #room(size: number): void {
    const needed = this.#at + size;
    if (needed <= this.#bytes.length) return;
    if (needed > SIZE_MAX) throw new RangeError("a message of more than 2 GiB");
    const larger = new Uint8Array(Math.max(needed, Math.min(this.#bytes.length * 2, SIZE_MAX)));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  #short(value: number): void {
    this.#room(5);
    while (value > 127) {
      this.#bytes[this.#at++] = (value & 127) | 128;
      value >>>= 7;
    }
    this.#bytes[this.#at++] = value;
  }

  #varint(low: number, high: number): void {
    this.#room(10);
    while (high > 0 || low > 127) {
      this.#bytes[this.#at++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#at++] = low;
  }
}

function integer(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer`);
  return value;
}

function signed(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} is no integer of 64 bits`);
  return value;
}

function unsigned(value: bigint): bigint {
  if (BigInt.asUintN(64, value) !== value) {
    throw new RangeError(`${value} is no unsigned integer of 64 bits`);
  }
  return value;
}

const unknownFields = Symbol("hito.unknownFields");

interface Kept {
  // One buffer for all of them: a peer may send very many very small ones.
  [unknownFields]?: Writer;
}

/** Keeps the bytes of a field that its type does not have, out of sight; copies of the message have them, too. */
export function keep(message: object, field: Uint8Array): void {
  ((message as Kept)[unknownFields] ??= new Writer()).raw(field);
}

/** The fields that were kept. */
export function kept(message: object): Uint8Array | undefined {
  return (message as Kept)[unknownFields]?.finish();
}
