/** The parts of Node.js that the client, its tests and its examples use, for compilers without type packages. */

declare module "node:net" {
  interface SocketEvents {
    data: (data: Uint8Array) => void;
    drain: () => void;
    end: () => void;
    close: () => void;
    connect: () => void;
    error: (error: Error) => void;
  }

  class Socket {
    readonly writableLength: number;
    write(bytes: Uint8Array): boolean;
    end(): void;
    destroy(): void;
    on<Name extends keyof SocketEvents>(name: Name, listener: SocketEvents[Name]): this;
    once<Name extends keyof SocketEvents>(name: Name, listener: SocketEvents[Name]): this;
    off<Name extends keyof SocketEvents>(name: Name, listener: SocketEvents[Name]): this;
    removeAllListeners(name: keyof SocketEvents): this;
  }

  interface Server {
    listen(port: number, host: string, then: () => void): this;
    address(): { port: number } | string | null;
    close(): void;
  }

  function connect(options: { host: string; port: number; noDelay?: boolean }): Socket;
  function isIP(text: string): number;
}

declare module "node:tls" {
  import { Server, Socket } from "node:net";

  interface SecureOptions {
    ALPNProtocols?: string[];
    minVersion?: "TLSv1.3";
    ca?: string | string[] | undefined;
    cert?: string | undefined;
    key?: string | undefined;
    passphrase?: string | undefined;
    rejectUnauthorized?: boolean;
    requestCert?: boolean;
  }

  class TLSSocket extends Socket {
    readonly authorizationError: unknown;
    readonly alpnProtocol: string | false | null;
    once(name: "secureConnect", listener: () => void): this;
    once<Name extends keyof import("node:net").SocketEvents>(
      name: Name, listener: import("node:net").SocketEvents[Name],
    ): this;
  }

  function connect(options: SecureOptions & { socket: Socket; host: string; servername?: string }): TLSSocket;
  function createServer(options: SecureOptions, then: (socket: TLSSocket) => void): Server;
}

declare module "node:dns" {
  function lookup(
    host: string, options: { all: true; verbatim: boolean },
    then: (error: Error | null, found: { address: string; family: number }[]) => void,
  ): void;
}

declare module "node:zlib" {
  function deflateSync(bytes: Uint8Array, options: { level: number }): Uint8Array;
  function inflateSync(
    bytes: Uint8Array, options: { maxOutputLength: number; info: true },
  ): { buffer: Uint8Array; engine: { bytesWritten: number } };
}

declare module "node:fs" {
  function readFileSync(path: string, encoding: "utf8"): string;
  function readFileSync(path: string): Uint8Array;
  function readSync(file: number, bytes: Uint8Array, offset: number, length: number, position: null): number;
  function writeSync(file: number, bytes: Uint8Array): number;
}

declare module "node:readline" {
  interface Interface extends AsyncIterable<string> {
    close(): void;
  }
  function createInterface(options: { input: unknown; output?: unknown; crlfDelay?: number }): Interface;
}

declare module "node:test" {
  interface TestContext {
    diagnostic(text: string): void;
  }
  function test(name: string, body: (context: TestContext) => void | Promise<void>): Promise<void>;
  export default test;
}

declare module "node:assert/strict" {
  function equal(actual: unknown, expected: unknown, message?: string): void;
  function notEqual(actual: unknown, expected: unknown, message?: string): void;
  function deepEqual(actual: unknown, expected: unknown, message?: string): void;
  function ok(value: unknown, message?: string): asserts value;
  function match(text: string, pattern: RegExp): void;
  function throws(body: () => unknown, expected?: unknown): void;
  function rejects(body: Promise<unknown> | (() => Promise<unknown>), expected?: unknown): Promise<void>;
}

declare const process: {
  readonly argv: readonly string[];
  readonly env: { readonly [name: string]: string | undefined };
  readonly stdin: unknown;
  readonly stdout: { write(text: string): boolean; readonly isTTY?: boolean; readonly columns?: number };
  exitCode: number | undefined;
  exit(code?: number): never;
  cpuUsage(): { user: number; system: number };
};
