import { DecodeError, DEPTH_MAX, OBJECTS_MAX } from "./errors.js";
import type { MessageType } from "./wire.js";
import { keep } from "./writer.js";

/** Bytes of none, all the same. */
export const noBytes = new Uint8Array(0);

const TWO_32 = 2 ** 32;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Below this a loop over ASCII is faster than the decoder. */
const SHORT_TEXT = 32;

/** Reads fields one after the other. Every method throws `DecodeError` where the bytes do not allow it. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end: number;
  #tagAt = 0;
  #depth = 0;
  #objectsLeft: number;
  // The halves of the last varint.
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
    this.#objectsLeft = OBJECTS_MAX + Math.floor(bytes.length / 16);
  }

  /** The next field's number and wire type as one number; 0 at the end. */
  tag(): number {
    if (this.#at === this.#end) return 0;
    this.#tagAt = this.#at;
    const tag = this.#short();
    if (tag < 8) throw new DecodeError("field number 0");
    return tag;
  }

  /** Enters what has a length, and returns what `isAtEnd` takes to leave it. */
  enter(): number {
    const length = this.#length();
    const outer = this.#end;
    this.#end = this.#at + length;
    return outer;
  }

  /** Whether what was entered is read, and left now. */
  isAtEnd(outer: number): boolean {
    if (this.#at !== this.#end) return false;
    this.#end = outer;
    return true;
  }

  /** A message; one of the same field that came before is merged with it. */
  message<T extends object>(type: MessageType<T>, old: T | undefined): T {
    this.#descend();
    this.#count();
    const outer = this.enter();
    const message = old ?? type.create();
    type.read(message, this);
    this.#end = outer;
    this.#depth -= 1;
    return message;
  }

  /** Keeps a field that the message's type does not have. */
  unknown(message: object, tag: number): void {
    const start = this.#tagAt;
    this.skip(tag);
    keep(message, this.#bytes.subarray(start, this.#at));
  }

  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        return this.#varint();
      case 1:
        return void this.#take(8);
      case 2:
        return void this.#take(this.#length());
      case 3:
        return this.#skipGroup(tag);
      case 5:
        return void this.#take(4);
      default:
        throw new DecodeError(`wire type ${tag & 7}`);
    }
  }

  int32(): number {
    this.#varint();
    return this.#low | 0;
  }

  uint32(): number {
    this.#varint();
    return this.#low >>> 0;
  }

  sint32(): number {
    this.#varint();
    return (this.#low >>> 1) ^ -(this.#low & 1);
  }

  int64(): number {
    this.#varint();
    return safe((this.#high | 0) * TWO_32 + (this.#low >>> 0));
  }

  uint64(): number {
    this.#varint();
    return safe((this.#high >>> 0) * TWO_32 + (this.#low >>> 0));
  }

  sint64(): number {
    const value = this.sint64Big();
    return safe(Number(value));
  }

  int64Big(): bigint {
    return BigInt.asIntN(64, this.uint64Big());
  }

  uint64Big(): bigint {
    this.#varint();
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
  }

  sint64Big(): bigint {
    const value = this.uint64Big();
    return (value >> 1n) ^ -(value & 1n);
  }

  bool(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  fixed32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  sfixed32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  fixed64(): number {
    return safe(Number(this.fixed64Big()));
  }

  sfixed64(): number {
    return safe(Number(this.sfixed64Big()));
  }

  fixed64Big(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  sfixed64Big(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  bytes(): Uint8Array {
    const length = this.#length();
    if (length === 0) return noBytes;
    this.#count();
    const start = this.#take(length);
    // A copy: the message must not keep all that it came in.
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  string(): string {
    const length = this.#length();
    const start = this.#take(length);
    if (length < SHORT_TEXT) {
      let text = "";
      let at = start;
      for (; at < this.#at; at++) {
        const code = this.#bytes[at] as number;
        if (code > 127) break;
        text += String.fromCharCode(code);
      }
      if (at === this.#at) return text;
    }
    try {
      return utf8.decode(this.#bytes.subarray(start, this.#at));
    } catch {
      throw new DecodeError("text that is not UTF-8");
    }
  }

  #count(): void {
    if (--this.#objectsLeft < 0) throw new DecodeError("too many messages in one");
  }

  #descend(): void {
    if (++this.#depth > DEPTH_MAX) throw new DecodeError(`messages deeper than ${DEPTH_MAX}`);
  }

  #skipGroup(tag: number): void {
    this.#descend();
    for (;;) {
      const next = this.tag();
      if (next === 0) throw new DecodeError("a group without an end");
      if ((next & 7) !== 4) {
        this.skip(next);
        continue;
      }
      if (next !== tag + 1) throw new DecodeError("the end of another group");
      this.#depth -= 1;
      return;
    }
  }

  /** Moves on, and returns where it was. */
  #take(size: number): number {
    const start = this.#at;
    if (size > this.#end - start) throw new DecodeError("a field runs past its end");
    this.#at = start + size;
    return start;
  }

  #length(): number {
    const length = this.#short();
    if (length > this.#end - this.#at) throw new DecodeError("a field runs past its end");
    return length;
  }

  /** A varint of 32 bits, five bytes at most: tags and lengths. */
  #short(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)] as number;
      if (shift === 28 && byte > 15) break;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new DecodeError("a tag or a length of more than 32 bits");
  }

  /** A varint of 64 bits, in two halves. */
  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#take(1)] as number;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) {
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw new DecodeError("a number of more than ten bytes");
  }
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} does not fit a number`);
  return value;
}
