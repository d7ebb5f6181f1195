/** Consumers of groups that outlive connections and servers. */

import type { Init } from "./codec/wire.js";
import { ErrorReason } from "./gen/hito/v1/errors.js";
import {
  type ConsumeRequest, type ConsumeResponse, type Event, type JoinGroup, SettleAction, type Settled,
} from "./gen/hito/v1/events.js";
import type { Timestamp } from "./gen/google/protobuf/timestamp.js";
import { AlreadyExists, HitoError, Unavailable } from "./rpc/errors.js";
import type { ResponseStream } from "./rpc/method.js";
import { passes, type Rest } from "./resume.js";
import { Backoff } from "./transport/retry.js";
import { sleep, type Timer } from "./transport/scope.js";
import { isReplaceable } from "./transport/tokens.js";

/** How long a consumer that ends waits for the answers to what it has settled. */
const CLOSE_TIMEOUT_MS = 5000;
const ACK_TIMEOUT_MS = 30_000;

export interface ConsumerOptions {
  /** Its name, which no other consumer of the group may have; made by the server where it is not said. */
  readonly consumer?: string;
  /** How many events it has at a time; the server's usual number where it is not said. */
  readonly bufferSize?: number;
  /**
   * Whether an event is kept for as long as it is worked on, which it is unless said. Without it, what is not settled
   * in the group's time goes to another consumer.
   */
  readonly autoExtend?: boolean;
  /** Hears of each failure after which the consumer joins again. */
  readonly onInterruption?: (error: HitoError) => void;
}

type Open = (requests: AsyncIterable<Init<ConsumeRequest>>) => ResponseStream<ConsumeResponse>;

/**
 * An event in the hands of a consumer, which has to say what becomes of it. Each of `ack`, `retry`, `park`, `skip` and
 * `extend` gives true once the server has it on disk, and false where the consumer does not have the event any more: it
 * was not settled in time, or the connection broke, and the event comes again, to this or another consumer.
 */
export class Delivery {
  readonly event: Event;
  /** From 1. */
  readonly attempt: number;
  readonly settleBy: Timestamp | undefined;
  readonly #session: Session;
  #extending: Timer | undefined;

  constructor(session: Session, response: ConsumeResponse, event: Event) {
    this.event = event;
    this.attempt = response.attempt;
    this.settleBy = response.settleBy;
    this.#session = session;
  }

  /** Whether nothing was heard yet of another consumer having the event. Where it is false, work on it should end. */
  get isHeld(): boolean {
    return this.#session.isOpen && this.#session.held.get(this.event.id) === this;
  }

  /** Done. */
  ack(): Promise<boolean> {
    return this.#settle(SettleAction.ACK, "", 0);
  }

  /** Done, though not wanted. */
  skip(): Promise<boolean> {
    return this.#settle(SettleAction.SKIP, "", 0);
  }

  /** Again after a time; as the group says where that is not given. */
  retry(afterMs?: number, reason = ""): Promise<boolean> {
    const delayUs = afterMs === undefined ? 0 : Math.max(1, Math.round(afterMs * 1000));
    return this.#settle(SettleAction.RETRY, reason, delayUs);
  }

  /** Put aside for a person. */
  park(reason = ""): Promise<boolean> {
    return this.#settle(SettleAction.PARK, reason, 0);
  }

  /** The time to settle it begins anew. */
  async extend(): Promise<boolean> {
    return this.isHeld && await this.#session.settle(this.event.id, SettleAction.EXTEND, "", 0);
  }

  /** Extends it again and again, until it is settled. */
  keep(intervalMs: number): void {
    this.#extending = setTimeout(async () => {
      if (await this.extend()) this.keep(intervalMs);
    }, intervalMs);
  }

  /** Nobody works on it any more. */
  stopExtending(): void {
    clearTimeout(this.#extending);
  }

  async #settle(action: SettleAction, reason: string, delayUs: number): Promise<boolean> {
    this.stopExtending();
    return this.isHeld && await this.#session.settle(this.event.id, action, reason, delayUs);
  }
}

/** One connection of a consumer: what it holds, and what it waits to hear. */
class Session {
  readonly held = new Map<string, Delivery>();
  isOpen = true;
  readonly requests: AsyncIterable<Init<ConsumeRequest>>;
  readonly #outgoing: (Init<ConsumeRequest> | undefined)[] = [];
  readonly #answers = new Map<string, ((isSettled: boolean) => void)[]>();
  #wake: () => void = () => {};

  constructor(join: Init<JoinGroup>) {
    this.#outgoing.push({ step: { case: "join", value: join } });
    this.requests = this.#requests();
  }

  async settle(eventId: string, action: SettleAction, reason: string, retryAfterUs: number): Promise<boolean> {
    if (!this.isOpen || !this.held.has(eventId)) return false;
    const answer = new Promise<boolean>((resolve) => {
      const waiting = this.#answers.get(eventId) ?? [];
      this.#answers.set(eventId, [...waiting, resolve]);
    });
    this.#put({ step: { case: "settle", value: { eventIds: [eventId], action, reason, retryAfterUs } } });
    const isSettled = await answer;
    if (!isSettled || action !== SettleAction.EXTEND) this.held.delete(eventId);
    return isSettled;
  }

  heard(settled: Settled): void {
    for (const id of settled.eventIds) this.#answer(id, true);
    for (const id of settled.notHeld) this.#answer(id, false);
  }

  /** What is not settled goes back; answers still come. */
  halfClose(): void {
    this.#put(undefined);
  }

  end(): void {
    this.isOpen = false;
    for (const delivery of this.held.values()) delivery.stopExtending();
    for (const [id, waiting] of [...this.#answers]) for (const _ of waiting) this.#answer(id, false);
    this.#put(undefined);
  }

  #answer(eventId: string, isSettled: boolean): void {
    const [first, ...others] = this.#answers.get(eventId) ?? [];
    if (others.length > 0) this.#answers.set(eventId, others);
    else this.#answers.delete(eventId);
    first?.(isSettled);
  }

  #put(request: Init<ConsumeRequest> | undefined): void {
    this.#outgoing.push(request);
    this.#wake();
  }

  async *#requests(): AsyncIterable<Init<ConsumeRequest>> {
    for (;;) {
      while (this.#outgoing.length > 0) {
        const request = this.#outgoing.shift();
        if (request === undefined) return;
        yield request;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/**
 * A consumer of a group, which reconnects by itself:
 *
 *     for await (const delivery of client.events.consumeResuming("mailer")) {
 *       await sendMail(delivery.event);
 *       await delivery.ack();
 *     }
 *
 * Every event comes at least once. After a broken connection what was not settled comes again; work on it should look
 * at `isHeld`. One loop reads; settle anywhere. It ends by the caller only (`close`, or leaving the loop), or by an
 * error that trying again would not mend.
 */
export class Consumer implements AsyncIterableIterator<Delivery> {
  /** How often the stream broke and was taken up again. */
  interruptions = 0;
  readonly #open: Open;
  readonly #rest: Rest;
  readonly #options: ConsumerOptions;
  readonly #backoff = new Backoff();
  readonly #ended = new AbortController();
  #join: Init<JoinGroup>;
  #session: Session | undefined;
  #stream: ResponseStream<ConsumeResponse> | undefined;
  #reader: Promise<void> | undefined;
  #arrived: Delivery[] = [];
  #failure: unknown;
  /** Whether it has joined under another token since the last response. */
  #isRenewed = false;
  #wake: () => void = () => {};
  #ackTimeoutMs = ACK_TIMEOUT_MS;

  constructor(open: Open, group: string, rest: Rest, options: ConsumerOptions) {
    this.#open = open;
    this.#rest = rest;
    this.#options = options;
    const { consumer, bufferSize } = options;
    this.#join = { group, consumer, bufferSize, instance: crypto.randomUUID() };
  }

  /** Its name in the group; known from the first delivery on, where the server makes one. */
  get name(): string {
    return this.#join.consumer ?? "";
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Delivery, undefined>> {
    // Answers have to be heard while nobody asks for the next event.
    if (!this.#isEnded) this.#reader ??= this.#read();
    while (!this.#isEnded) {
      const delivery = this.#arrived.shift();
      if (delivery?.isHeld) return { done: false, value: delivery };
      if (delivery !== undefined) continue;
      if (this.#failure !== undefined) {
        const failure = this.#failure;
        await this.close();
        throw failure;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Delivery, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  /** Gives back what is not settled, and ends. */
  async close(): Promise<void> {
    this.#ended.abort();
    this.#wake();
    this.#session?.halfClose();
    // The server ends the stream once it has answered everything.
    const waited = new AbortController();
    if (this.#reader !== undefined) {
      await Promise.race([this.#reader, sleep(CLOSE_TIMEOUT_MS, waited.signal)]);
    }
    waited.abort();
    this.#stream?.cancel();
    this.#session?.end();
  }

  get #isEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  async #read(): Promise<void> {
    while (!this.#isEnded) {
      try {
        await this.#readOneStream();
        if (!this.#isEnded) await this.#interrupted(new Unavailable("the server ended the stream"));
      } catch (error) {
        if (this.#isEnded) return;
        if (!(error instanceof HitoError) || !this.#mayJoinAgain(error)) {
          this.#failure = error;
          this.#wake();
          return;
        }
        await this.#interrupted(error);
      }
    }
  }

  async #readOneStream(): Promise<void> {
    const session = new Session(this.#join);
    this.#session = session;
    this.#stream = this.#open(session.requests);
    for await (const response of this.#stream) {
      const delivery = this.#received(response, session);
      if (delivery === undefined) continue;
      this.#arrived.push(delivery);
      this.#wake();
    }
  }

  #received(response: ConsumeResponse, session: Session): Delivery | undefined {
    this.#backoff.reset();
    this.#isRenewed = false;
    if (response.joined !== undefined) {
      // After a broken connection it comes again under the name that it had.
      this.#join = { ...this.#join, consumer: response.joined.consumer };
      this.#ackTimeoutMs = response.joined.ackTimeoutUs / 1000;
    }
    if (response.settled !== undefined) session.heard(response.settled);
    if (response.event === undefined) return undefined;
    const delivery = new Delivery(session, response, response.event);
    session.held.set(delivery.event.id, delivery);
    if (this.#options.autoExtend ?? true) delivery.keep(this.#ackTimeoutMs / 3);
    return delivery;
  }

  #mayJoinAgain(error: HitoError): boolean {
    if (passes(error) || this.#mayJoinLater(error)) return true;
    // Its token was refused: once another one is tried.
    const isRenewable = isReplaceable(error) && !this.#isRenewed;
    this.#isRenewed = isRenewable;
    return isRenewable;
  }

  /** The name is still that of this consumer's last connection, or of a process that died. */
  #mayJoinLater(error: HitoError): boolean {
    return error instanceof AlreadyExists && error.reason === ErrorReason.CONSUMER_NAME_TAKEN
      && this.interruptions > 0;
  }

  async #interrupted(error: HitoError): Promise<void> {
    this.#session?.end();
    this.#session = undefined;
    this.#stream = undefined;
    this.interruptions += 1;
    this.#options.onInterruption?.(error);
    await this.#rest(error, this.#backoff.nextMs(error.retryDelayMs), this.#ended.signal);
  }
}
