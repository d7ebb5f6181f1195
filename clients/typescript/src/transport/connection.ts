/** One TLS connection: frames in and out, calls, credit, keepalive, drain. */

import type { TLSSocket } from "node:tls";

import { CancelledCall, type HitoError, InternalError, Unavailable, Unimplemented } from "../rpc/errors.js";
import { Call, type Line } from "./call.js";
import { DEFLATE } from "./compression.js";
import { ReceiveWindow, SendWindow } from "./credit.js";
import {
  type CallHeader, decodeCredit, decodeEnd, decodeGoAway, decodeHead, decodeHello, defaultHello, encodeCall,
  encodeCredit, encodeFrame, encodeGoAway, encodeHello, Flag, type Frame, FrameDecoder, type GoAway, type Hello,
  Kind, Reason, STREAM_ID_MAX, WireError,
} from "./frames.js";
import { now, type Timer } from "./scope.js";

const HELLO_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2000;
// What is put together for one write to the socket.
const BATCH_MAX = 64 << 10;
// Only control frames pass the socket's own pause; a peer that asks for this many never reads.
const UNWRITTEN_MAX = 8 << 20;
const PING_PAYLOAD = new TextEncoder().encode("hitoping");

/** Who is told what becomes of a connection. */
export interface Owner {
  /** It takes no more calls, whether it was established or not. */
  retired(connection: Connection): void;
  /** The server has answered, for the first time. */
  served(connection: Connection): void;
  /** One of its calls has ended, or was not opened after all. */
  callEnded(connection: Connection): void;
  /** It is no more. */
  ended(connection: Connection): void;
}

/** A connection that said HELLO. */
export class Connection implements Line {
  /** Its owner's, once it is established. */
  number = 0;
  /** The address that it is one to, of its owner's. */
  place = -1;
  readonly own: Hello;
  peer = defaultHello;
  isDraining = false;
  /** What both sides speak. */
  minorVersion = 0;
  compresses = false;
  readonly sendCredit = new SendWindow(0);
  isWritable = true;
  /** Resolves when the server has said HELLO; rejects where it does not. */
  readonly established: Promise<void>;
  readonly #socket: TLSSocket;
  readonly #owner: Owner;
  readonly #receiveCredit: ReceiveWindow;
  readonly #decoder: FrameDecoder;
  readonly #calls = new Map<number, Call>();
  readonly #lost: Promise<void>;
  #keepaliveMs: number;
  #settle: { resolve: () => void; reject: (error: HitoError) => void } | undefined;
  #setLost: () => void = () => {};
  #isLost = false;
  #isRetired = false;
  #isClosing = false;
  #isInOrder = false;
  /** Why the server drains. */
  #drain: string | undefined;
  #hasServed = false;
  #nextStream = 1;
  #out: Uint8Array[] = [];
  #outSize = 0;
  #sendWaiters: (() => void)[] = [];
  #failure: HitoError | undefined;
  #socketError: Error | undefined;
  #receivedAt = now();
  #hasPinged = false;
  #timer: Timer | undefined;

  constructor(socket: TLSSocket, own: Hello, keepaliveMs: number, owner: Owner) {
    this.own = own;
    this.#socket = socket;
    this.#owner = owner;
    this.#keepaliveMs = keepaliveMs;
    this.#receiveCredit = new ReceiveWindow(own.connectionCredit);
    this.#decoder = new FrameDecoder(own.framePayloadMax);
    this.established = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#lost = new Promise((resolve) => {
      this.#setLost = resolve;
    });
    socket.on("data", (data) => this.#received(data));
    socket.on("drain", () => this.#drained());
    socket.on("error", (error) => {
      this.#socketError = error;
    });
    socket.on("end", () => socket.destroy());
    socket.on("close", () => this.#closed());
    this.write(Kind.HELLO, 0, 0, encodeHello(own));
    this.#timer = setTimeout(() => this.#tooLate(), HELLO_TIMEOUT_MS);
  }

  // What the pool and the channel ask

  /** How it has ended; in order: by this side's close, or in a drain with no call left. */
  get ending(): { readonly isInOrder: boolean; readonly reason: string } {
    const lost = this.#failure;
    if (lost !== undefined && !this.#isInOrder) return { isInOrder: false, reason: lost.text };
    return { isInOrder: true, reason: this.#drain ?? "this side has closed it" };
  }

  get isOpen(): boolean {
    return !this.#isLost && this.#failure === undefined;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Opens a call for which there is a place and writes its first frame; `flush` the call for the rest. */
  open(header: CallHeader, message: Uint8Array | undefined, halfCloses: boolean): Call {
    let call: Call;
    try {
      call = this.#open(header, message, halfCloses);
    } catch (error) {
      this.#owner.callEnded(this);
      throw error;
    }
    this.#nextStream += 2;
    if (this.#nextStream > STREAM_ID_MAX) this.#retire();
    return call;
  }

  /** Ends the calls and the connection; resolves when it is gone. */
  async close(): Promise<void> {
    for (const call of [...this.#calls.values()]) call.cancel(new CancelledCall("the client was closed"));
    if (this.isOpen) this.#sayGoodbye(Reason.NO_ERROR, "");
    await this.#lost;
  }

  /** Ends the connection without a word. */
  abort(): void {
    this.#socket.destroy();
  }

  // What calls ask

  get isContended(): boolean {
    return this.#sendWaiters.length > 0;
  }

  write(kind: number, flags: number, stream: number, payload?: Uint8Array, more?: Uint8Array): void {
    if (this.#isClosing || this.#isLost) return;
    if (this.#out.length === 0) queueMicrotask(() => this.#flush());
    const frame = encodeFrame(kind, flags, stream, payload, more);
    this.#out.push(frame);
    this.#outSize += frame.length;
    if (this.#outSize >= BATCH_MAX) this.#flush();
  }

  waitToSend(wake: () => void): void {
    this.#sendWaiters.push(wake);
  }

  consumed(amount: number): void {
    const granted = this.#receiveCredit.consumed(amount);
    if (granted > 0) this.write(Kind.CREDIT, 0, 0, encodeCredit(granted));
  }

  forget(call: Call): void {
    if (!this.#calls.delete(call.stream)) return;
    if (this.isDraining && this.#calls.size === 0 && this.isOpen) this.#sayGoodbye(Reason.NO_ERROR, "");
    this.#owner.callEnded(this);
  }

  #open(header: CallHeader, message: Uint8Array | undefined, halfCloses: boolean): Call {
    if (!this.isOpen || this.isDraining || this.#isClosing || this.#nextStream > STREAM_ID_MAX) {
      // Between the choice of the connection and now.
      throw new Unavailable("the connection takes no more calls", { notStarted: true });
    }
    const keys = Object.keys(header.metadata ?? {});
    if (this.minorVersion < 1 && keys.some((key) => key.endsWith("-bin"))) {
      throw new Unimplemented("the server is too old for metadata that is bytes", { notStarted: true });
    }
    const block = encodeCall(header);
    const call = new Call(this, this.#nextStream);
    this.#calls.set(call.stream, call);
    try {
      call.begin(block, message, halfCloses);
    } catch (error) {
      this.#calls.delete(call.stream);
      throw error;
    }
    return call;
  }

  // What the socket tells

  #received(data: Uint8Array): void {
    if (!this.isOpen) return;
    this.#receivedAt = now();
    this.#hasPinged = false;
    try {
      this.#decoder.push(data);
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
        this.#frameReceived(frame);
        if (!this.isOpen) return;
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#fail(new InternalError(`the server broke the protocol: ${error.message}`));
      this.#sayGoodbye(error.reason, error.message);
    }
  }

  #drained(): void {
    this.isWritable = true;
    this.#wakeSenders();
  }

  #closed(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#isInOrder = this.#isClosing && this.#failure === undefined;
    clearTimeout(this.#timer);
    const why = this.#socketError === undefined ? "" : `: ${this.#socketError.message}`;
    this.#fail(new Unavailable(`connection lost${why}`, { cause: this.#socketError }));
    this.#wakeSenders();
    this.#setLost();
    this.#owner.ended(this);
  }

  // Frames

  #frameReceived(frame: Frame): void {
    if (this.#settle !== undefined) return this.#firstFrameReceived(frame);
    switch (frame.kind) {
      case Kind.MESSAGE:
        return this.#messageReceived(frame);
      case Kind.END:
        return this.#endReceived(frame);
      case Kind.HEAD:
        return this.#headReceived(frame);
      case Kind.CREDIT:
        return this.#creditReceived(frame);
      case Kind.PING:
        return this.write(Kind.PONG, 0, 0, frame.payload);
      case Kind.GOAWAY:
        return this.#goAwayReceived(decodeGoAway(frame.payload));
      case Kind.HELLO:
        throw new WireError(Reason.PROTOCOL_ERROR, "a second HELLO");
    }
  }

  #firstFrameReceived(frame: Frame): void {
    if (frame.kind === Kind.GOAWAY) {
      const refusal = decodeGoAway(frame.payload);
      this.#fail(new Unavailable(refusal.text || `refused with reason ${refusal.reason}`, { notStarted: true }));
      this.abort();
      return;
    }
    if (frame.kind !== Kind.HELLO) throw new WireError(Reason.PROTOCOL_ERROR, "the first frame is not HELLO");
    this.peer = decodeHello(frame.payload);
    this.minorVersion = Math.min(this.own.minorVersion, this.peer.minorVersion);
    this.#decoder.agreed(this.minorVersion);
    const isListed = this.minorVersion >= 1 && this.peer.encodings.includes(DEFLATE);
    this.compresses = isListed && this.own.encodings.length > 0;
    this.sendCredit.grant(this.peer.connectionCredit);
    // Above the server's least interval: sooner counts as abuse (W10.2).
    this.#keepaliveMs = Math.max(this.#keepaliveMs, this.peer.pingIntervalMs * 1.1);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#watchOver(), this.#keepaliveMs);
    this.#settle?.resolve();
    this.#settle = undefined;
  }

  #messageReceived({ payload, flags, stream }: Frame): void {
    this.#receiveCredit.received(payload.length);
    const call = this.#calls.get(stream);
    if (call === undefined) return this.#strayReceived(stream, payload.length);
    this.#served();
    call.messageReceived(payload, (flags & Flag.MORE) === 0, (flags & Flag.COMPRESSED) !== 0);
  }

  #endReceived({ payload, flags, stream }: Frame): void {
    const { end, rest } = decodeEnd(payload, this.minorVersion);
    const message = (flags & Flag.HAS_MESSAGE) !== 0 ? rest : undefined;
    if (message === undefined && rest.length > 0) {
      throw new WireError(Reason.PROTOCOL_ERROR, "bytes after the block of END");
    }
    this.#receiveCredit.received(rest.length);
    const call = this.#calls.get(stream);
    if (call === undefined) return this.#strayReceived(stream, rest.length);
    this.#served();
    call.endReceived(end, message, (flags & Flag.COMPRESSED) !== 0);
  }

  #headReceived({ payload, stream }: Frame): void {
    const metadata = decodeHead(payload);
    const call = this.#calls.get(stream);
    if (call === undefined) this.#checkOpened(stream);
    else call.headReceived(metadata);
  }

  #creditReceived({ payload, stream }: Frame): void {
    if (stream === 0) {
      this.sendCredit.grant(decodeCredit(payload));
      this.#wakeSenders();
      return;
    }
    const call = this.#calls.get(stream);
    // Ended, and then anything goes, also nothing (W5.9).
    if (call === undefined) this.#checkOpened(stream);
    else call.granted(decodeCredit(payload));
  }

  #goAwayReceived(goAway: GoAway): void {
    this.isDraining = true;
    // First: what ends here must not be given to a call that waits for room.
    this.#retire();
    const reason = goAway.text || `reason ${goAway.reason}`;
    for (const call of [...this.#calls.values()]) {
      if (call.stream <= goAway.lastStream) continue;
      call.fail(new Unavailable(`the server is going away: ${reason}`, { notStarted: true }));
    }
    if (goAway.isDrain) this.#drain ??= `the server is going away: ${reason}`;
    else this.#fail(new Unavailable(`the server ended the connection: ${reason}`));
    if (this.#calls.size === 0) this.#sayGoodbye(Reason.NO_ERROR, "");
  }

  /** Crossed with our CANCEL: only the connection's credit is owed (W9.6). */
  #strayReceived(stream: number, size: number): void {
    this.#checkOpened(stream);
    this.consumed(size);
  }

  #checkOpened(stream: number): void {
    if (stream >= this.#nextStream) {
      throw new WireError(Reason.PROTOCOL_ERROR, `stream ${stream} was never opened`);
    }
  }

  #served(): void {
    if (this.#hasServed) return;
    this.#hasServed = true;
    this.#owner.served(this);
  }

  #wakeSenders(): void {
    const waiters = this.#sendWaiters;
    this.#sendWaiters = [];
    for (const wake of waiters) wake();
  }

  // The end

  /** No more calls; those under way end with `error`. */
  #fail(error: HitoError): void {
    const failure = this.#failure ??= error;
    this.#retire();
    this.#settle?.reject(failure);
    this.#settle = undefined;
    for (const call of [...this.#calls.values()]) call.fail(failure);
  }

  #retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#owner.retired(this);
  }

  #sayGoodbye(reason: number, text: string): void {
    if (this.#isClosing || this.#isLost) return;
    this.write(Kind.GOAWAY, 0, 0, encodeGoAway(0, reason, text));
    this.#flush();
    this.#isClosing = true;
    this.#socket.end();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.abort(), CLOSE_TIMEOUT_MS);
    this.isDraining = true;
    this.#retire();
  }

  #flush(): void {
    if (this.#out.length === 0 || this.#isLost) return;
    const [first] = this.#out;
    const bytes = this.#out.length === 1 && first !== undefined ? first : joined(this.#out, this.#outSize);
    this.#out = [];
    this.#outSize = 0;
    this.isWritable = this.#socket.write(bytes);
    if (this.#socket.writableLength <= UNWRITTEN_MAX) return;
    this.#fail(new Unavailable("the server does not read"));
    this.abort();
  }

  #tooLate(): void {
    this.#fail(new Unavailable("the server does not say HELLO", { notStarted: true }));
    this.abort();
  }

  /** Asks whether the server is still there when calls wait and nothing arrives (W10). */
  #watchOver(): void {
    if (this.#hasPinged) {
      this.#fail(new Unavailable("the server does not answer any more"));
      this.abort();
      return;
    }
    if (this.#calls.size > 0 && now() - this.#receivedAt >= this.#keepaliveMs * 0.9) {
      this.#hasPinged = true;
      this.write(Kind.PING, 0, 0, PING_PAYLOAD);
    }
    this.#timer = setTimeout(() => this.#watchOver(), this.#keepaliveMs);
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
