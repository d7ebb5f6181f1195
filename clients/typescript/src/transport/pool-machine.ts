/**
 * Chooses the connection of a call, and says when which address is dialled (clients/BEHAVIOUR.md, C1). Pure: it
 * neither dials nor waits, and time (in milliseconds) and chance are arguments.
 */

import { backoffMs } from "./retry.js";

/** For how long an address that says nothing holds up the next one. */
export const HOLD_UP_MS = 250;
/** A connection that lasted so long was none of a server that falls over at once. */
export const STEADY_AFTER_MS = 5000;

/** What a call does next. */
export type Step =
  /** It goes to this connection; its place is taken, and given back by `callEnded`. */
  | { readonly kind: "use"; readonly number: number }
  /** It asks again when something has changed, at the latest then. */
  | { readonly kind: "wait"; readonly until: number | undefined }
  /** No server can be reached. */
  | { readonly kind: "fail" };

/** What a call wants. */
export interface Want {
  /** Whether it waits where no server can be reached. */
  readonly waits: boolean;
  /** Its place in the round, once it has one. */
  turn?: number;
}

interface Connection {
  readonly number: number;
  readonly callsMax: number;
  readonly since: number;
  calls: number;
  hasServed: boolean;
}

class Address {
  connections: Connection[] = [];
  diallingSince: number | undefined;
  restsUntil: number | undefined;
  /** In a row. */
  failures = 0;
  /** Whether the last attempt found no server. */
  isUnreachable = false;
  /** Whether it showed a certificate that is not trusted. */
  isUntrusted = false;
  /** Whether it says of itself that it does not serve. */
  isNotServing = false;

  isResting(now: number): boolean {
    return this.restsUntil !== undefined && now < this.restsUntil;
  }

  withRoom(): Connection | undefined {
    return this.connections.find(hasRoom);
  }

  rest(now: number, chance: number): void {
    this.restsUntil = now + backoffMs(this.failures, chance);
    this.failures += 1;
  }
}

/** The addresses of a client, and its connections to them. */
export class PoolMachine {
  readonly #addresses: Address[];
  readonly #inTurn: boolean;
  readonly #connectionsMax: number;
  #preferred = 0;
  #turn = 0;
  #toDial: number[] = [];

  constructor(addresses: number, options: { inTurn?: boolean; connectionsMax?: number } = {}) {
    this.#addresses = Array.from({ length: Math.max(1, addresses) }, () => new Address());
    this.#inTurn = options.inTurn ?? false;
    this.#connectionsMax = options.connectionsMax ?? 4;
  }

  // Calls

  /** Where a call goes; the addresses of `takeDials` are to be dialled after it. */
  place(want: Want, now: number): Step {
    const order = this.#order(want);
    for (const isNotServing of [false, true]) {
      const group = order.filter((place) => this.#at(place).isNotServing === isNotServing);
      const step = this.#inTurn ? this.#next(group, now) : this.#first(group, now);
      if (step !== undefined) return step;
    }
    return this.#unreachable(want);
  }

  /**
   * A connection for a copy of a call that has those; undefined where none has room. To another address if there is
   * one, else another connection, else the same. Nothing is dialled for it.
   */
  placeBeside(used: readonly number[]): number | undefined {
    let best: { rank: number; connection: Connection } | undefined;
    for (const address of this.#addresses) {
      if (address.isNotServing) continue;
      const isUsed = address.connections.some((connection) => used.includes(connection.number));
      for (const connection of address.connections) {
        const rank = !isUsed ? 0 : used.includes(connection.number) ? 2 : 1;
        if (hasRoom(connection) && (best === undefined || rank < best.rank)) best = { rank, connection };
      }
    }
    return best === undefined ? undefined : take(best.connection);
  }

  /** Takes a place on one connection, if it has one. */
  take(number: number): boolean {
    const found = this.#find(number);
    if (found === undefined || !hasRoom(found.connection)) return false;
    take(found.connection);
    return true;
  }

  callEnded(number: number): void {
    const found = this.#find(number);
    if (found !== undefined) found.connection.calls -= 1;
  }

  /** The server has answered a call there. */
  served(number: number): void {
    const found = this.#find(number);
    if (found === undefined) return;
    found.connection.hasServed = true;
    found.address.failures = 0;
  }

  /** What is to be dialled, once. */
  takeDials(): number[] {
    const dials = this.#toDial;
    this.#toDial = [];
    return dials;
  }

  // Connections

  /** A server has answered; false where it is not wanted, as another one was faster. */
  dialled(place: number, number: number, callsMax: number, now: number): boolean {
    const address = this.#at(place);
    address.diallingSince = address.restsUntil = undefined;
    address.isUnreachable = address.isUntrusted = false;
    const isOvertaken = this.#addresses.some((other) =>
      other !== address && other.connections.length > 0 && !other.isNotServing
    );
    if (!this.#inTurn && isOvertaken && address.connections.length === 0) return false;
    address.connections.push({ number, callsMax, since: now, calls: 0, hasServed: false });
    return true;
  }

  dialFailed(place: number, isUntrusted: boolean, now: number, chance: number): void {
    const address = this.#at(place);
    address.diallingSince = undefined;
    address.isUnreachable = true;
    address.isUntrusted = isUntrusted;
    address.rest(now, chance);
  }

  /** A connection takes no more calls. */
  retired(number: number, now: number, chance: number): void {
    const found = this.#find(number);
    if (found === undefined) return;
    const { address, connection } = found;
    address.connections = address.connections.filter((other) => other !== connection);
    if (address.connections.length === 0) address.isNotServing = false;
    // A server that takes connections and drops them must not be stormed with them.
    if (connection.hasServed || connection.since + STEADY_AFTER_MS <= now) address.failures = 0;
    else address.rest(now, chance);
  }

  /** What the server at an address says of itself. */
  says(place: number, isServing: boolean): void {
    const address = this.#at(place);
    address.isNotServing = !isServing && address.connections.length > 0;
  }

  /** Those to an address that take calls. */
  connections(place: number): number[] {
    return this.#at(place).connections.map((connection) => connection.number);
  }

  // Choosing

  #order(want: Want): number[] {
    const count = this.#addresses.length;
    let first = this.#preferred;
    if (this.#inTurn) {
      if (want.turn === undefined) {
        want.turn = this.#turn;
        this.#turn = (this.#turn + 1) % count;
      }
      first = want.turn;
    }
    return Array.from({ length: count }, (_, place) => (place + first) % count);
  }

  /** The first server that answers, and as long as it does. */
  #first(group: readonly number[], now: number): Step | undefined {
    const live = group.find((place) => this.#at(place).connections.length > 0);
    if (live !== undefined) {
      this.#preferred = live;
      const connection = this.#at(live).withRoom();
      if (connection !== undefined) return { kind: "use", number: take(connection) };
      return { kind: "wait", until: this.#dialMore(live, now) };
    }
    for (const place of group) {
      const address = this.#at(place);
      if (address.diallingSince !== undefined) {
        const until = address.diallingSince + HOLD_UP_MS;
        if (now < until) return { kind: "wait", until };
      } else if (!address.isResting(now)) {
        this.#dial(place, now);
        return { kind: "wait", until: now + HOLD_UP_MS };
      }
    }
    return undefined;
  }

  /** One server after the other. Those that do not answer are dialled beside. */
  #next(group: readonly number[], now: number): Step | undefined {
    for (const place of group) {
      const address = this.#at(place);
      const isIdle = address.connections.length === 0 && address.diallingSince === undefined;
      if (isIdle && !address.isResting(now)) this.#dial(place, now);
    }
    for (const place of group) {
      const address = this.#at(place);
      const connection = address.withRoom();
      if (connection !== undefined) return { kind: "use", number: take(connection) };
      const since = address.diallingSince;
      if (address.connections.length === 0 && !address.isUnreachable && since !== undefined) {
        if (now < since + HOLD_UP_MS) return { kind: "wait", until: since + HOLD_UP_MS };
      }
    }
    const full = group.filter((place) => this.#at(place).connections.length > 0);
    if (full.length === 0) return undefined;
    return { kind: "wait", until: earliest(full.map((place) => this.#dialMore(place, now))) };
  }

  /**
   * Another connection to an address whose connections are full, where it may have one; otherwise when to look again.
   */
  #dialMore(place: number, now: number): number | undefined {
    const address = this.#at(place);
    const isMost = address.connections.length >= this.#connectionsMax;
    if (isMost || address.diallingSince !== undefined) return undefined;
    if (address.isResting(now)) return address.restsUntil;
    this.#dial(place, now);
    return undefined;
  }

  #unreachable(want: Want): Step {
    // A connection that was lost is made again by the call; a server that was not found is not waited for unless that
    // is asked for.
    const isToCome = this.#addresses.some((address) =>
      address.diallingSince !== undefined || !address.isUnreachable || (want.waits && !address.isUntrusted)
    );
    if (!isToCome) return { kind: "fail" };
    const resting = this.#addresses.filter((address) => address.diallingSince === undefined);
    return { kind: "wait", until: earliest(resting.map((address) => address.restsUntil)) };
  }

  #dial(place: number, now: number): void {
    this.#at(place).diallingSince = now;
    this.#toDial.push(place);
  }

  #at(place: number): Address {
    const address = this.#addresses[place];
    if (address === undefined) throw new RangeError(`no address ${place}`);
    return address;
  }

  #find(number: number): { address: Address; connection: Connection } | undefined {
    for (const address of this.#addresses) {
      const connection = address.connections.find((connection) => connection.number === number);
      if (connection !== undefined) return { address, connection };
    }
    return undefined;
  }
}

function hasRoom(connection: Connection): boolean {
  return connection.calls < connection.callsMax;
}

function take(connection: Connection): number {
  connection.calls += 1;
  return connection.number;
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce(
    (least, time) => time === undefined ? least : least === undefined ? time : Math.min(least, time),
    undefined,
  );
}
