/** From a name to a connection on which TLS has been agreed (C1.1, C1.4). */

import { lookup } from "node:dns";
import * as net from "node:net";
import * as tls from "node:tls";

import type { TLSOptions } from "../options.js";
import { Unavailable } from "../rpc/errors.js";
import { onAbort, type Timer } from "./scope.js";

export const ALPN = "hito/1";
const CONNECT_TIMEOUT_MS = 10_000;
/** How long an address of a name is tried before the next one is tried beside it. */
const NEXT_ADDRESS_MS = 250;

/** The server showed a certificate that is not trusted: it will not be trusted later. */
export class CertificateRefused extends Unavailable {}

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port` or `[2001:db8::1]:port`. */
export function parseAddress(text: string): Address {
  const parts = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text.trim());
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (host === undefined || !(port > 0 && port < 65536)) {
    throw new TypeError(`${JSON.stringify(text)} is not an address: say host:port, or [IPv6]:port`);
  }
  return { host, port };
}

/** A socket that TLS 1.3 and `hito/1` were agreed on with a server that is trusted; `signal` gives up. */
export async function dial(address: Address, options: TLSOptions, signal: AbortSignal): Promise<tls.TLSSocket> {
  const gone = new AbortController();
  const giveUp = () => gone.abort();
  const forget = onAbort(signal, giveUp);
  const timer = setTimeout(giveUp, CONNECT_TIMEOUT_MS);
  try {
    const socket = await connected(await addressesOf(address.host, gone.signal), address.port, gone.signal);
    return await secured(socket, address, options, gone.signal);
  } catch (error) {
    const why = gone.signal.aborted ? "no answer in time" : (error as Error).message;
    const Kind = error instanceof CertificateRefused ? CertificateRefused : Unavailable;
    throw new Kind(`cannot connect to ${address.host}:${address.port}: ${why}`, { notStarted: true, cause: error });
  } finally {
    clearTimeout(timer);
    forget();
  }
}

/** The addresses of a name, of both families in turn. */
function addressesOf(host: string, signal: AbortSignal): Promise<string[]> {
  if (net.isIP(host) !== 0) return Promise.resolve([host]);
  return new Promise((resolve, reject) => {
    onGivenUp(signal, reject);
    lookup(host, { all: true, verbatim: true }, (error, found) => {
      if (error !== null) return reject(error);
      const first = found[0]?.family;
      const own = found.filter((one) => one.family === first);
      const others = found.filter((one) => one.family !== first);
      resolve(own.flatMap((one, place) => [one, others[place]]).concat(others.slice(own.length))
        .flatMap((one) => one === undefined ? [] : [one.address]));
    });
  });
}

/** The first that answers: one that says nothing does not hold up the others for long (C1.1). */
function connected(addresses: readonly string[], port: number, signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const open = new Set<net.Socket>();
    let next = 0;
    let timer: Timer | undefined;
    const settle = (winner?: net.Socket) => {
      clearTimeout(timer);
      next = addresses.length;
      for (const socket of open) if (socket !== winner) socket.destroy();
    };
    const attempt = (failure?: Error) => {
      clearTimeout(timer);
      const host = addresses[next++];
      if (host === undefined) {
        if (open.size === 0) reject(failure ?? new Error("the name has no address"));
        return;
      }
      const socket = net.connect({ host, port, noDelay: true });
      open.add(socket);
      socket.once("connect", () => {
        settle(socket);
        socket.removeAllListeners("error");
        // TLS tells of them.
        socket.on("error", () => {});
        resolve(socket);
      });
      socket.once("error", (error) => {
        open.delete(socket);
        attempt(error);
      });
      timer = setTimeout(attempt, NEXT_ADDRESS_MS);
    };
    onGivenUp(signal, (error) => {
      settle();
      reject(error);
    });
    attempt();
  });
}

function secured(
  socket: net.Socket, { host }: Address, options: TLSOptions, signal: AbortSignal,
): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const name = options.serverName ?? host;
    const isName = net.isIP(name) === 0;
    const secure = tls.connect({
      socket,
      // What the certificate must be for; an IP address is none that TLS takes as a server name.
      host: name,
      ...(isName ? { servername: name } : {}),
      ALPNProtocols: [ALPN],
      minVersion: "TLSv1.3",
      ca: options.ca === undefined ? undefined : [options.ca].flat().map((one) => textOf(one)),
      cert: textOf(options.cert),
      key: textOf(options.key),
      passphrase: options.passphrase,
      rejectUnauthorized: true,
    });
    const fail = (error: Error) => {
      secure.destroy();
      reject(error);
    };
    onGivenUp(signal, fail);
    const failed = (error: Error) => {
      const why = `certificate refused: ${error.message}`;
      fail(secure.authorizationError ? new CertificateRefused(why, { cause: error }) : error);
    };
    const closed = () => fail(new Error("the peer ended the TLS handshake"));
    secure.once("error", failed);
    secure.once("close", closed);
    secure.once("secureConnect", () => {
      secure.off("error", failed);
      secure.off("close", closed);
      if (secure.alpnProtocol === ALPN) return resolve(secure);
      // Nobody listens any more.
      secure.on("error", () => {});
      fail(new Error(`the peer does not speak ${ALPN}`));
    });
  });
}

function textOf(pem: string | Uint8Array): string;
function textOf(pem: string | Uint8Array | undefined): string | undefined;
function textOf(pem: string | Uint8Array | undefined): string | undefined {
  return pem instanceof Uint8Array ? new TextDecoder("utf-8").decode(pem) : pem;
}

function onGivenUp(signal: AbortSignal, then: (error: Error) => void): void {
  onAbort(signal, () => then(new Error("given up")));
}
