/**
 * The binary format of protobuf, as much as generated messages need: a reader and a writer. Needs
 * nothing of a platform, so that it runs wherever JavaScript does.
 */

import { noBytes, Reader } from "./reader.js";
import { kept, Writer } from "./writer.js";

export { DecodeError } from "./errors.js";
export { noBytes, Reader, Writer };

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

export function messageType<T extends object>(typeName: string, fields: Fields<T>): MessageType<T> {
  const write = (message: Init<T>, writer: Writer) => {
    fields.write(message, writer);
    const unknown = kept(message);
    if (unknown !== undefined) writer.raw(unknown);
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

/** Whether a floating point number is written: minus zero is, unlike zero. */
export function isNotZero(value: number | undefined): value is number {
  return value !== undefined && !Object.is(value, 0);
}

/** The name of an enum's number, for people; the number where it has none. */
export function nameOf(type: { readonly [name: string]: number }, value: number): string {
  return Object.keys(type).find((name) => type[name] === value) ?? String(value);
}
