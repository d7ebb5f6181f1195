/** Messages as they go compressed over the wire (W6.9): `u8 encoding | u32 size | data`. */

import { deflateSync, inflateSync } from "node:zlib";

export const DEFLATE = 1;

/** Below this a message is sent as it is: what is gained is a packet at most. */
export const SIZE_MIN = 4096;
// Fast rather than small: a caller waits.
const LEVEL = 1;
const HEAD_SIZE = 5;

/** A compressed message that is not what it says, or more than it may be. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** A message compressed; undefined where that is not worth it, or the receiver would refuse it. */
export function pack(message: Uint8Array): Uint8Array | undefined {
  if (message.length < SIZE_MIN) return undefined;
  const data = deflateSync(message, { level: LEVEL });
  if (data.length > message.length - (message.length >>> 3) || message.length > sizeMax(data.length)) {
    return undefined;
  }
  const packed = new Uint8Array(HEAD_SIZE + data.length);
  const view = new DataView(packed.buffer);
  view.setUint8(0, DEFLATE);
  view.setUint32(1, message.length);
  packed.set(data, HEAD_SIZE);
  return packed;
}

/** What a message is of. No more memory is used than its size says, and that is held to its limits first. */
export function unpack(packed: Uint8Array, messageMax: number): Uint8Array {
  if (packed.length <= HEAD_SIZE) throw new Refused("a compressed message without data");
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const size = view.getUint32(1);
  const data = packed.subarray(HEAD_SIZE);
  if (view.getUint8(0) !== DEFLATE || size === 0) {
    throw new Refused("a compressed message of no known encoding or of no bytes");
  }
  if (size > messageMax) throw new Refused(`a message larger than ${messageMax} bytes`);
  if (size > sizeMax(data.length)) {
    throw new Refused("a message that is more than 64 times what it is compressed to");
  }
  const { buffer, engine } = expand(data, size);
  if (buffer.length !== size || engine.bytesWritten !== data.length) {
    throw new Refused("a compressed message that does not expand to its size");
  }
  return buffer;
}

/** What Node.js gives for `info`, which its type packages leave out. */
interface Expanded {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

function expand(data: Uint8Array, size: number): Expanded {
  try {
    return inflateSync(data, { maxOutputLength: size, info: true }) as unknown as Expanded;
  } catch (error) {
    throw new Refused(`a compressed message that does not expand: ${(error as Error).message}`);
  }
}

function sizeMax(dataSize: number): number {
  return 65536 + 64 * dataSize;
}
