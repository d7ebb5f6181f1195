/** How deep messages may be inside each other: what a peer sends must not use up the stack. */
export const DEPTH_MAX = 100;

/** Bytes that are no message of the type. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}
