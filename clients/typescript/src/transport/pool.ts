/**
 * The connections of a client: gives each call one, makes them as they are needed, and has calls wait for room.
 * `PoolMachine` decides; this dials, wakes and keeps time.
 */

import type { TLSOptions } from "../options.js";
import { CancelledCall, type HitoError, Unavailable } from "../rpc/errors.js";
import { Connection, type Owner } from "./connection.js";
import { type Address, CertificateRefused, dial } from "./dial.js";
import type { Hello } from "./frames.js";
import { HealthCheck } from "./health.js";
import type { ClientLog } from "./log.js";
import { PoolMachine, type Step, type Want } from "./pool-machine.js";
import { now, onAbort, type Scope, sleep, type Timer } from "./scope.js";

/** What every connection of a client has in common. */
export interface PoolSettings {
  readonly tls: TLSOptions;
  readonly own: Hello;
  readonly keepaliveMs: number;
  /** To one address. */
  readonly connectionsMax: number;
  readonly inTurn: boolean;
  readonly checksHealth: boolean;
  /** For calls that do not say it. */
  readonly waitsForReady: boolean;
  readonly log: ClientLog | undefined;
}

/** A call that waits for its connection. */
interface Waiter {
  readonly want: Want;
  resolve(connection: Connection): void;
  reject(error: HitoError): void;
}

export class Pool implements Owner {
  /** Why the last attempt found no server. */
  failure: HitoError | undefined;
  readonly #addresses: readonly Address[];
  readonly #settings: PoolSettings;
  readonly #machine: PoolMachine;
  readonly #connections = new Map<number, Connection>();
  /** By address. */
  readonly #checks = new Map<number, HealthCheck>();
  readonly #dials = new Set<Promise<void>>();
  readonly #closed = new AbortController();
  #waiters: Waiter[] = [];
  #lastNumber = 0;
  #timer: Timer | undefined;
  #timerAt = Infinity;

  constructor(addresses: readonly Address[], settings: PoolSettings) {
    this.#addresses = addresses;
    this.#settings = settings;
    this.#machine = new PoolMachine(addresses.length, settings);
  }

  // Calls

  /**
   * A connection on which the caller has a place for one call, which `Connection.open` uses and `release` gives back.
   * Fails with Unavailable when no address answers and the call does not wait for one.
   */
  connection(waitForReady: boolean | undefined, scope: Scope): Promise<Connection> {
    return new Promise((resolve, reject) => {
      if (scope.error !== undefined) return reject(scope.error);
      const want: Want = { waits: waitForReady ?? this.#settings.waitsForReady };
      const step = this.#place(want);
      if (step instanceof Error) return reject(step);
      const connection = step.kind === "use" ? this.#connections.get(step.number) : undefined;
      if (connection === undefined) this.#wait(want, scope, resolve, reject);
      else resolve(connection);
      this.#dial();
      if (step.kind === "wait") this.#arm(step.until);
    });
  }

  /** A connection for a copy of a call that has those; undefined where none has room. */
  connectionBeside(used: readonly number[]): Connection | undefined {
    const number = this.#closed.signal.aborted ? undefined : this.#machine.placeBeside(used);
    return number === undefined ? undefined : this.#connections.get(number);
  }

  /** The caller opens no call on it after all. */
  release(connection: Connection): void {
    this.callEnded(connection);
  }

  /**
   * Waits before another attempt; no longer than the client is open, nor than what `onEnd` hears of, which returns what
   * takes that back.
   */
  async rest(milliseconds: number, onEnd: (end: () => void) => () => void): Promise<void> {
    const ended = new AbortController();
    const end = () => ended.abort();
    const forgetting = [onAbort(this.#closed.signal, end), onEnd(end)];
    await sleep(milliseconds, ended.signal);
    for (const forget of forgetting) forget();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    clearTimeout(this.#timer);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(closed());
    for (const check of this.#checks.values()) check.cancel();
    this.#checks.clear();
    await Promise.all(this.#dials);
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
  }

  // What connections tell

  callEnded(connection: Connection): void {
    this.#machine.callEnded(connection.number);
    this.#serve(false);
  }

  served(connection: Connection): void {
    this.#machine.served(connection.number);
  }

  retired(connection: Connection): void {
    const { number, place } = connection;
    this.#machine.retired(number, now(), Math.random());
    const check = this.#checks.get(place);
    if (check?.connection === connection) {
      // A draining server waits for its calls to end.
      this.#checks.delete(place);
      check.cancel();
      this.#check(place);
    }
    this.#serve();
  }

  ended(connection: Connection): void {
    if (this.#connections.delete(connection.number)) {
      this.#settings.log?.disconnected(this.#name(connection.place), connection.ending);
    }
  }

  // Waiting

  #place(want: Want): Exclude<Step, { kind: "fail" }> | HitoError {
    if (this.#closed.signal.aborted) return closed();
    const step = this.#machine.place(want, now());
    if (step.kind !== "fail") return step;
    // A new one for each call: the stack is that of who asks.
    return new Unavailable(this.failure?.text ?? "no server answers", { notStarted: true });
  }

  #wait(
    want: Want, scope: Scope, resolve: (connection: Connection) => void, reject: (error: HitoError) => void,
  ): void {
    const waiter: Waiter = {
      want,
      resolve: (connection) => {
        forget();
        resolve(connection);
      },
      reject: (error) => {
        forget();
        reject(error);
      },
    };
    this.#waiters.push(waiter);
    const forget = scope.onEnd((error) => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      reject(error);
    });
  }

  /**
   * Something has changed: in the order in which they came, each waiter gets what there is. Where there is more room
   * and nothing else has changed (`all` is false), the first that must wait on is the last that is asked.
   */
  #serve(all = true): void {
    const waiters = this.#waiters;
    const left: Waiter[] = [];
    const served: (() => void)[] = [];
    let until: number | undefined;
    for (const [place, waiter] of waiters.entries()) {
      if (!all && left.length > 0) {
        left.push(...waiters.slice(place));
        break;
      }
      const step = this.#place(waiter.want);
      if (step instanceof Error) {
        served.push(() => waiter.reject(step));
        continue;
      }
      const connection = step.kind === "use" ? this.#connections.get(step.number) : undefined;
      if (connection !== undefined) {
        served.push(() => waiter.resolve(connection));
        continue;
      }
      left.push(waiter);
      if (step.kind === "wait" && step.until !== undefined) until = Math.min(until ?? Infinity, step.until);
    }
    this.#waiters = left;
    this.#dial();
    this.#arm(until);
    for (const tell of served) tell();
  }

  #arm(until: number | undefined): void {
    if (until === undefined || this.#closed.signal.aborted || this.#timerAt <= until) return;
    clearTimeout(this.#timer);
    this.#timerAt = until;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.#serve();
    }, Math.max(0, Math.ceil(until - now())));
  }

  // Connecting

  #dial(): void {
    for (const place of this.#machine.takeDials()) {
      const dialling = this.#connect(place).finally(() => this.#dials.delete(dialling));
      this.#dials.add(dialling);
    }
  }

  async #connect(place: number): Promise<void> {
    const { tls, own, keepaliveMs, log } = this.#settings;
    const began = now();
    log?.connecting(this.#name(place));
    let connection: Connection | undefined;
    const abandon = () => connection?.abort();
    let forget = () => {};
    try {
      const socket = await dial(this.#address(place), tls, this.#closed.signal);
      connection = new Connection(socket, own, keepaliveMs, this);
      forget = onAbort(this.#closed.signal, abandon);
      await connection.established;
    } catch (error) {
      const failure = cannotConnect(error, this.#name(place));
      this.failure = failure;
      // Where the client is closed nothing has failed.
      if (!this.#closed.signal.aborted) log?.connectFailed(this.#name(place), failure.text);
      this.#machine.dialFailed(place, failure instanceof CertificateRefused, now(), Math.random());
      this.#serve();
      return;
    } finally {
      forget();
    }
    log?.connected(this.#name(place), connection.peer.serverId, began);
    await this.#connected(place, connection);
  }

  async #connected(place: number, connection: Connection): Promise<void> {
    connection.number = ++this.#lastNumber;
    connection.place = place;
    this.#connections.set(connection.number, connection);
    const isWanted = this.#machine.dialled(place, connection.number, connection.peer.streamsMax, now());
    if (!connection.isOpen || connection.isDraining) {
      // It went between its HELLO and now.
      this.retired(connection);
      if (connection.isLost) this.ended(connection);
    } else if (isWanted) {
      this.#check(place);
    }
    this.#serve();
    if (!isWanted) await connection.close();
  }

  /** Asks the server at an address how it is, unless it is asked already. */
  #check(place: number): void {
    const number = this.#machine.connections(place)[0];
    const connection = number === undefined ? undefined : this.#connections.get(number);
    if (!this.#settings.checksHealth || this.#checks.has(place) || connection === undefined) return;
    if (this.#closed.signal.aborted) return;
    const take = () => this.#machine.take(connection.number);
    const told = (isServing: boolean) => {
      this.#machine.says(place, isServing);
      this.#serve();
    };
    this.#checks.set(place, new HealthCheck(connection, take, told));
  }

  #address(place: number): Address {
    const address = this.#addresses[place];
    if (address === undefined) throw new RangeError(`no address ${place}`);
    return address;
  }

  #name(place: number): string {
    const address = this.#addresses[place];
    return address === undefined ? "?" : `${address.host}:${address.port}`;
  }
}

function closed(): HitoError {
  return new CancelledCall("the client is closed", { notStarted: true });
}

/** A server that breaks the protocol before its HELLO is one that does not answer (C5.7). */
function cannotConnect(error: unknown, address: string): HitoError {
  if (error instanceof Unavailable && error.notStarted) return error;
  const why = (error as HitoError).text ?? String(error);
  return new Unavailable(`cannot connect to ${address}: ${why}`, { notStarted: true, cause: error });
}
