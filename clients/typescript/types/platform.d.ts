/**
 * The parts of the platform that the client uses, for compilers without type packages: what is common to Node.js, other
 * runtimes and browsers.
 */

interface PlatformTimer {
  unref?(): void;
}
declare function setTimeout(callback: () => void, milliseconds: number): PlatformTimer;
declare function clearTimeout(timer: PlatformTimer | undefined): void;
declare function queueMicrotask(callback: () => void): void;

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
declare const AbortSignal: {
  timeout(milliseconds: number): AbortSignal;
};
declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare class TextEncoder {
  encode(text: string): Uint8Array;
  encodeInto(text: string, bytes: Uint8Array): { read: number; written: number };
}
declare class TextDecoder {
  constructor(encoding: "utf-8", options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes: Uint8Array): string;
}

declare const performance: { now(): number };
declare const crypto: { randomUUID(): string };
declare const console: {
  [Name in "debug" | "info" | "log" | "warn" | "error"]: (...what: unknown[]) => void;
};
