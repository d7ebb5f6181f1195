/** A server that speaks the bytes of PROTOCOL.md, for tests of what the conformance runner does not see. */

import { readFileSync } from "node:fs";
import * as tls from "node:tls";

import { Client, type ClientOptions } from "../src/index.js";
import { decodeBlock, encodeBlock, encodeFrame, type Field, Flag, type Frame, Kind } from "../src/transport/frames.js";

const folder = process.env["HITO_TEST_CERTIFICATES"] ?? "";
/** Made for this run by tests/certificates.sh. */
export const pem = (name: string): string => readFileSync(`${folder}/${name}.pem`, "utf8");

/** One accepted connection. */
export class Peer {
  readonly #socket: tls.TLSSocket;
  #bytes = new Uint8Array(0);
  #wake: () => void = () => {};
  #isOver = false;

  constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    socket.on("data", (data) => {
      const bytes = new Uint8Array(this.#bytes.length + data.length);
      bytes.set(this.#bytes);
      bytes.set(data, this.#bytes.length);
      this.#bytes = bytes;
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** The next frame that is of one of these kinds; throws at the end. */
  async frame(...kinds: number[]): Promise<Frame> {
    for (;;) {
      const view = new DataView(this.#bytes.buffer);
      const size = this.#bytes.length < 10 ? Infinity : 10 + view.getUint32(0);
      if (this.#bytes.length >= size) {
        const frame = {
          kind: view.getUint8(4), flags: view.getUint8(5), stream: view.getUint32(6),
          payload: this.#bytes.slice(10, size),
        };
        this.#bytes = this.#bytes.slice(size);
        if (kinds.includes(frame.kind)) return frame;
        continue;
      }
      if (this.#isOver) throw new Error("the client has gone");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Exchanges HELLO. */
  async greet(): Promise<Map<number, Uint8Array>> {
    const hello = await this.frame(Kind.HELLO);
    const ofMinorVersion: Field[] = [[1, Uint8Array.of(0, 1)]];
    this.send(Kind.HELLO, 0, 0, encodeBlock(ofMinorVersion));
    return new Map(decodeBlock(hello.payload).fields);
  }

  /** The next call. */
  async call(): Promise<{ stream: number; fields: Map<number, Uint8Array>; message: Uint8Array }> {
    const { stream, payload } = await this.frame(Kind.CALL);
    const { fields, rest } = decodeBlock(payload);
    return { stream, fields: new Map(fields), message: rest };
  }

  send(kind: number, flags: number, stream: number, payload?: Uint8Array, more?: Uint8Array): void {
    this.#socket.write(encodeFrame(kind, flags, stream, payload, more));
  }

  reply(stream: number, message: Uint8Array, fields: readonly Field[] = []): void {
    this.send(Kind.END, Flag.HAS_MESSAGE, stream, encodeBlock(fields), message);
  }

  fail(stream: number, status: number, fields: readonly Field[] = []): void {
    this.send(Kind.END, 0, stream, encodeBlock([[1, Uint8Array.of(0, status)], ...fields]));
  }
}

export interface Scene {
  readonly address: string;
  /** A client of the server, which the scene closes. */
  connect(options?: ClientOptions): Promise<Client>;
}

/** Runs a test against a server that handles each connection by `script`. */
export async function withPeer(
  script: (peer: Peer) => Promise<void>, body: (scene: Scene) => Promise<void>, options: object = {},
): Promise<void> {
  const failures: unknown[] = [];
  const clients: Client[] = [];
  const serverOptions = {
    cert: pem("server"), key: pem("server-key"), ALPNProtocols: ["hito/1"], minVersion: "TLSv1.3" as const,
    ...options,
  };
  const server = tls.createServer(serverOptions, (socket) => {
    script(new Peer(socket)).catch((error: Error) => {
      if (error.message !== "the client has gone") failures.push(error);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  try {
    await body({
      address,
      connect: async (options = {}) => {
        const client = await Client.connect(address, { tls: { ca: pem("ca") }, ...options });
        clients.push(client);
        return client;
      },
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    server.close();
  }
  if (failures.length > 0) throw failures[0];
}
