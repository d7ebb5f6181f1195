/**
 * The binary format of protobuf, as much as generated messages need: a reader and a writer. Imports
 * nothing, so that it runs wherever JavaScript does.
 */

/** How deep messages may be inside each other: what a peer sends must not use up the stack. */
export const DEPTH_MAX = 100;
/** Where an encoder gives up: no length in the format is larger. */
export const SIZE_MAX = 2 ** 31 - 1;

/** Bytes that are no message of the type. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** The numbers of an enum, which a newer peer may have more of. */
export type Open<Known extends number> = Known | (number & Record<never, never>);

/** The member of a oneof that is set. */
export interface OneOf<Case extends string, Value> {
  readonly case: Case;
  readonly value: Value;
}

/**
 * What a message can be made from where one is sent: every field may be left out, at every depth, which
 * is the same as its zero.
 */
export type Init<T> = T extends Uint8Array | string | number | bigint | boolean | undefined ? T
  : T extends ReadonlyMap<infer Key, infer Value> ? ReadonlyMap<Key, Init<Value>>
  : T extends readonly (infer Element)[] ? readonly Init<Element>[]
  : T extends OneOf<infer Case, infer Value>
    ? string extends Case ? { readonly [Key in keyof T]?: Init<T[Key]> } : OneOf<Case, Init<Value>>
  : { readonly [Key in keyof T]?: Init<T[Key]> };

/** A type of messages. Messages themselves are plain objects. */
export interface MessageType<T extends object> {
  /** For example `hito.v1.Goal`. */
  readonly typeName: string;
  /** A message with all fields that are always there; those that are not given have their zeros. */
  create(init?: Partial<T>): T;
  /** Throws `RangeError` where a number does not fit its field, and `TypeError` for text that is not Unicode. */
  encode(message: Init<T>): Uint8Array;
  /**
   * Throws `DecodeError`, and `RangeError` where a number of 64 bits does not fit `number`. Fields that are
   * not known are kept, out of sight, and written again.
   */
  decode(bytes: Uint8Array): T;
  /** For generated code: writes the fields. */
  write(message: Init<T>, writer: Writer): void;
  /** For generated code: reads fields into a message, to the end of what the reader has. */
  read(message: T, reader: Reader): void;
}

/** What the generator writes of a message. */
export interface Fields<T extends object> {
  make(): T;
  write(message: Init<T>, writer: Writer): void;
  read(message: T, reader: Reader): void;
}

const unknownFields = Symbol("hito.unknownFields");

interface Kept {
  [unknownFields]?: Writer;
}

export function messageType<T extends object>(typeName: string, fields: Fields<T>): MessageType<T> {
  const write = (message: Init<T>, writer: Writer) => {
    fields.write(message, writer);
    const kept = (message as Kept)[unknownFields];
    if (kept !== undefined) writer.raw(kept.finish());
  };
  return {
    typeName,
    create: (init) => Object.assign(fields.make(), init),
    encode(message) {
      const writer = new Writer();
      write(message, writer);
      return writer.finish();
    },
    decode(bytes) {
      const message = fields.make();
      fields.read(message, new Reader(bytes));
      return message;
    },
    write,
    read: (message, reader) => fields.read(message, reader),
  };
}

export const noBytes = new Uint8Array(0);

/** Whether a floating point number is written: minus zero is, unlike zero. */
export function isNotZero(value: number | undefined): value is number {
  return value !== undefined && !Object.is(value, 0);
}

/** The name of an enum's number, for people; the number where it has none. */
export function nameOf(type: { readonly [name: string]: number }, value: number): string {
  return Object.keys(type).find((name) => type[name] === value) ?? String(value);
}

const TWO_32 = 2 ** 32;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const toUTF8 = new TextEncoder();
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
  // The halves of the last varint.
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
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
    ((message as Kept)[unknownFields] ??= new Writer()).raw(this.#bytes.subarray(start, this.#at));
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
    this.#view.setUint32(this.#take(4), value, true);
  }

  sfixed32(value: number): void {
    if ((value | 0) !== value) throw new RangeError(`${value} is no integer of 32 bits`);
    this.#view.setInt32(this.#take(4), value, true);
  }

  fixed64(value: number): void {
    this.fixed64Big(BigInt(integer(value)));
  }

  sfixed64(value: number): void {
    this.sfixed64Big(BigInt(integer(value)));
  }

  fixed64Big(value: bigint): void {
    this.#view.setBigUint64(this.#take(8), unsigned(value), true);
  }

  sfixed64Big(value: bigint): void {
    this.#view.setBigInt64(this.#take(8), signed(value), true);
  }

  float(value: number): void {
    this.#view.setFloat32(this.#take(4), value, true);
  }

  double(value: number): void {
    this.#view.setFloat64(this.#take(8), value, true);
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
