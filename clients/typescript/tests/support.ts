/** What the tests share. */

import { readFileSync } from "node:fs";

/** A file below the repository's `Tests`. */
export function sharedFile(path: string): string {
  return readFileSync(`${process.env["HITO_REPOSITORY"] ?? "."}/Tests/${path}`, "utf8");
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text: string): Uint8Array {
  const digits = text.split(" ").join("");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
