/** One call on a connection: what was sent, what came, how it ended. */

import { errorOf, type HitoError, InternalError, ResourceExhausted } from "../rpc/errors.js";
import type { Metadata } from "../rpc/method.js";
import { pack, Refused, unpack } from "./compression.js";
import { ReceiveWindow, SendWindow } from "./credit.js";
import {
  encodeCredit, type End, Flag, FRAGMENT_MIN, type Hello, Kind, noMetadata, Reason, WireError,
} from "./frames.js";

const EMPTY_MESSAGES_MAX = 1024;
/** What a fragment has at most while other streams wait for the connection's credit (W9.10). */
const SHARED_FRAGMENT_MAX = 16384;
const nothing: Uint8Array = new Uint8Array(0);

/** What a call needs of its connection. */
export interface Line {
  readonly own: Hello;
  readonly peer: Hello;
  /** Whether large messages go out compressed. */
  readonly compresses: boolean;
  readonly sendCredit: SendWindow;
  /** Whether the socket takes more. */
  readonly isWritable: boolean;
  /** Whether a call waits to send. */
  readonly isContended: boolean;
  write(kind: number, flags: number, stream: number, payload?: Uint8Array, more?: Uint8Array): void;
  /** Calls `wake` when there may be room again, or the connection has ended. */
  waitToSend(wake: () => void): void;
  consumed(amount: number): void;
  /** A call has ended. */
  forget(call: Call): void;
}

/** A stream. Made by the connection; used by one reader and one writer. */
export class Call {
  readonly stream: number;
  /** What the server said before its first message. */
  metadata: Metadata = noMetadata;
  /** What it said with the end of the call. */
  trailers: Metadata = noMetadata;
  /** Called once when nothing more will arrive. */
  onDone: (() => void) | undefined;
  readonly #line: Line;
  readonly #sendWindow: SendWindow;
  readonly #receiveWindow: ReceiveWindow;
  #unsent: Uint8Array = nothing;
  #messageFlags = 0;
  #isSending = false;
  #halfCloses = false;
  #wakeSender: (() => void) | undefined;
  // Whole messages with the credit that is owed for each.
  #messages: { message: Uint8Array; owed: number }[] = [];
  // What has come of a message that is not whole, in a buffer with room.
  #partial = nothing;
  #partialSize = 0;
  #emptyMessages = 0;
  #hasHead = false;
  #hasMessage = false;
  #isCompressed = false;
  #error: HitoError | undefined;
  #isDone = false;
  #isCancelled = false;
  #wakeReader: (() => void) | undefined;

  constructor(line: Line, stream: number) {
    this.stream = stream;
    this.#line = line;
    this.#sendWindow = new SendWindow(line.peer.streamCredit);
    this.#receiveWindow = new ReceiveWindow(line.own.streamCredit);
  }

  /** Whether nothing more will arrive. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether the server, or the connection, has ended it, and not this side. */
  get hasEnded(): boolean {
    return this.#isDone && !this.#isCancelled;
  }

  // Sending

  /** Writes the CALL frame with as much of the first message as fits. */
  begin(block: Uint8Array, message: Uint8Array | undefined, halfCloses: boolean): void {
    if (message === undefined) {
      this.#line.write(Kind.CALL, 0, this.stream, block);
      return;
    }
    this.#put(message, halfCloses);
    const room = this.#room(this.#line.peer.framePayloadMax - block.length);
    if (this.#unsent.length > 0 && room <= 0) this.#line.write(Kind.CALL, 0, this.stream, block);
    else this.#writeFragment(Kind.CALL, Flag.HAS_MESSAGE, block, room);
  }

  /** Sends a message of a request stream; waits while there is no credit. */
  send(message: Uint8Array): Promise<void> {
    this.#put(message, false);
    return this.flush();
  }

  /** Sends what is left of the message; returns early when the call has ended. */
  async flush(): Promise<void> {
    while (this.#isSending && !this.#isDone) {
      if (this.#line.isWritable) {
        const room = this.#room(this.#line.peer.framePayloadMax);
        if (room > 0 || this.#unsent.length === 0) {
          this.#writeFragment(Kind.MESSAGE, 0, nothing, room);
          // Others that wait have their turn before the next fragment.
          await undefined;
          continue;
        }
      }
      await new Promise<void>((resolve) => {
        this.#wakeSender = resolve;
        this.#line.waitToSend(resolve);
      });
    }
  }

  /** Says that no more messages follow. */
  halfClose(): void {
    if (!this.#isDone) this.#line.write(Kind.END, 0, this.stream);
  }

  granted(amount: number): void {
    this.#sendWindow.grant(amount);
    this.#wakeSender?.();
  }

  #put(message: Uint8Array, halfCloses: boolean): void {
    const max = this.#line.peer.messageMax;
    if (message.length > max) {
      const text = `the request has ${message.length} bytes, the server accepts ${max}`;
      throw new ResourceExhausted(text, { notStarted: true });
    }
    const packed = this.#line.compresses ? pack(message) : undefined;
    this.#messageFlags = packed === undefined ? 0 : Flag.COMPRESSED;
    this.#unsent = packed ?? message;
    this.#isSending = true;
    this.#halfCloses = halfCloses;
  }

  /** What a fragment may carry now; 0 where that is too little for one (W9.2). */
  #room(frameRoom: number): number {
    const credit = Math.min(this.#sendWindow.available, this.#line.sendCredit.available);
    const most = this.#line.isContended ? Math.min(frameRoom, SHARED_FRAGMENT_MAX) : frameRoom;
    const room = Math.min(most, credit);
    return room >= Math.min(this.#unsent.length, FRAGMENT_MIN) ? room : 0;
  }

  #writeFragment(kind: number, flags: number, block: Uint8Array, room: number): void {
    const fragment = this.#unsent.subarray(0, room);
    this.#unsent = this.#unsent.subarray(fragment.length);
    this.#sendWindow.take(fragment.length);
    this.#line.sendCredit.take(fragment.length);
    this.#isSending = this.#unsent.length > 0;
    // Of the first fragment of a message alone.
    flags |= this.#messageFlags;
    this.#messageFlags = 0;
    if (this.#isSending) flags |= Flag.MORE;
    else if (this.#halfCloses) flags |= Flag.END;
    this.#line.write(kind, flags, this.stream, block, fragment);
  }

  // Receiving

  /** The next message; undefined at the end of a call that went well. Throws how it failed. */
  async receive(): Promise<Uint8Array | undefined> {
    for (;;) {
      const next = this.#messages.shift();
      if (next !== undefined) {
        if (next.message.length === 0) this.#emptyMessages -= 1;
        this.#returnCredit(next.owed);
        return next.message;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#isDone) return undefined;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  /** Gives the call up, if it has not ended; a reader that waits gets `error`. */
  cancel(error?: HitoError): void {
    if (!this.#isDone) {
      this.#error = error;
      this.#isCancelled = true;
      this.#line.write(Kind.CANCEL, 0, this.stream);
      this.#finish();
    }
    for (const { owed } of this.#messages) this.#line.consumed(owed);
    this.#messages = [];
  }

  headReceived(metadata: Metadata): void {
    if (this.#hasHead || this.#hasMessage) {
      throw new WireError(Reason.PROTOCOL_ERROR, "HEAD that is not before the first message");
    }
    this.#hasHead = true;
    this.metadata = metadata;
  }

  messageReceived(payload: Uint8Array, isLast: boolean, isCompressed: boolean): void {
    this.#receiveWindow.received(payload.length);
    if (this.#partialSize === 0) this.#isCompressed = isCompressed;
    else if (isCompressed) throw new WireError(Reason.PROTOCOL_ERROR, "COMPRESSED inside a message");
    this.#hasMessage = true;
    if (this.#partialSize + payload.length > this.#line.own.messageMax) {
      this.#line.consumed(payload.length);
      this.cancel(new ResourceExhausted("the server sent a message above our limit"));
      return;
    }
    if (!isLast) {
      this.#gather(payload);
      // On arrival: a message larger than the window must not stall (W9.5).
      this.#returnCredit(payload.length);
      return;
    }
    const message = this.#whole(payload);
    const failure = this.#deliver(message, payload.length);
    if (failure !== undefined) {
      this.cancel(failure);
      return;
    }
    if (message.length === 0) this.#emptyMessages += 1;
    if (this.#emptyMessages > EMPTY_MESSAGES_MAX) {
      this.cancel(new ResourceExhausted("the server floods the call with empty messages"));
    }
    this.#wakeReader?.();
  }

  endReceived(end: End, message: Uint8Array | undefined, isCompressed: boolean): void {
    if (message !== undefined) {
      this.#receiveWindow.received(message.length);
      if (end.status !== 0 || this.#partialSize > 0) {
        throw new WireError(Reason.PROTOCOL_ERROR, "END with a message it may not have");
      }
      this.#isCompressed = isCompressed;
      const failure = this.#deliver(message, message.length);
      if (failure !== undefined) {
        this.fail(failure);
        return;
      }
    } else if (end.status === 0 && this.#partialSize > 0) {
      throw new WireError(Reason.PROTOCOL_ERROR, "END inside a message");
    }
    this.trailers = end.trailers;
    if (end.status !== 0) this.#error = errorOf(end.status, end.text, end);
    this.#finish();
  }

  /** The connection's end, or this side's fault. */
  fail(error: HitoError): void {
    if (this.#isDone) return;
    this.#error = error;
    this.#finish();
  }

  /** One buffer, and not one for each fragment: those may be of a byte each. */
  #gather(payload: Uint8Array): void {
    const size = this.#partialSize + payload.length;
    if (size > this.#partial.length) {
      const larger = new Uint8Array(Math.max(size, this.#partial.length * 2));
      larger.set(this.#partial.subarray(0, this.#partialSize));
      this.#partial = larger;
    }
    this.#partial.set(payload, this.#partialSize);
    this.#partialSize = size;
  }

  #whole(last: Uint8Array): Uint8Array {
    if (this.#partialSize === 0) return last;
    this.#gather(last);
    const message = this.#partial.subarray(0, this.#partialSize);
    this.#partial = nothing;
    this.#partialSize = 0;
    return message;
  }

  /** Puts a whole message where its reader finds it; why not, where it is not what it says. */
  #deliver(message: Uint8Array, owed: number): HitoError | undefined {
    try {
      const max = this.#line.own.messageMax;
      this.#messages.push({ message: this.#isCompressed ? unpack(message, max) : message, owed });
      return undefined;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#line.consumed(owed);
      return new InternalError(`the server sent ${error.message}`);
    }
  }

  #finish(): void {
    this.#isDone = true;
    this.#unsent = nothing;
    this.#partial = nothing;
    this.#line.forget(this);
    this.#wakeReader?.();
    this.#wakeSender?.();
    this.onDone?.();
  }

  #returnCredit(amount: number): void {
    this.#line.consumed(amount);
    if (this.#isDone) return;
    const granted = this.#receiveWindow.consumed(amount);
    if (granted > 0) this.#line.write(Kind.CREDIT, 0, this.stream, encodeCredit(granted));
  }
}

/** The one message of a unary reply (W7.6). */
export async function oneReply(call: Call): Promise<Uint8Array> {
  const first = await call.receive();
  if (first === undefined || (await call.receive()) !== undefined) {
    throw new InternalError("the server did not answer with exactly one message");
  }
  return first;
}
