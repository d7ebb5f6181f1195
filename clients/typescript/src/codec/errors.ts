/** How deep messages may be inside each other: what a peer sends must not use up the stack. */
export const DEPTH_MAX = 100;

/**
 * How many messages and pieces of bytes a message may be made of, beside one for each 16 bytes: what takes two bytes on
 * the wire takes a hundred times that in memory.
 */
export const OBJECTS_MAX = 100_000;

/** Bytes that are no message of the type. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}
