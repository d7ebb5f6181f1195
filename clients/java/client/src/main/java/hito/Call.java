package hito;

import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;

/**
 * One call on a connection: what was sent, what came, how it ended. Made by {@link
 * Connection#open}; of the loop.
 */
final class Call {
  /** What became of a chance to send. */
  enum Sending {
    SENT,
    DONE,
    WAITS_FOR_STREAM,
    WAITS_FOR_CONNECTION
  }

  private static final int EMPTY_MESSAGES_MAX = 1024;
  private static final byte[] NOTHING = {};

  // A whole message with the credit that is owed for it.
  private record Received(byte[] message, int owed) {}

  final int stream;
  private final Connection connection;
  private final SendWindow sendWindow;
  private final ReceiveWindow receiveWindow;
  // Read by the caller's threads, too.
  private volatile Metadata metadata = Metadata.EMPTY;
  private volatile Metadata trailers = Metadata.EMPTY;

  private byte[] unsent = NOTHING;
  private int sent;
  private int messageFlags;
  private boolean isSending;
  private boolean isQueued;
  private boolean closesAfter;
  private CompletableFuture<Void> sender;

  private final ArrayDeque<Received> messages = new ArrayDeque<>();
  private final ByteArrayOutputStream partial = new ByteArrayOutputStream(0);
  private boolean isCompressed;
  private boolean hasHead;
  private boolean hasMessage;
  private int emptyMessages;
  private HitoException error;
  private volatile boolean isDone;
  private CompletableFuture<byte[]> reader;
  private boolean isWakePlanned;
  private Runnable onDrained;

  Call(Connection connection, int stream) {
    this.connection = connection;
    this.stream = stream;
    sendWindow = new SendWindow(connection.peer.streamCredit);
    receiveWindow = new ReceiveWindow(connection.own.streamCredit);
  }

  /** What the server said before its first message. */
  Metadata metadata() {
    return metadata;
  }

  /** What it said with the end of the call. */
  Metadata trailers() {
    return trailers;
  }

  /** Whether nothing more will arrive. */
  boolean isDone() {
    return isDone;
  }

  // Sending

  /** Writes the CALL frame with as much of the first message as may go. */
  void begin(byte[] block, byte[] message, boolean halfClose) {
    if (message == null) {
      connection.write(Wire.CALL, 0, stream, block);
      return;
    }
    put(message, halfClose);
    int room = room(connection.peer.framePayloadMax - block.length);
    // Behind those that wait for credit, whose turn is first (W9.10).
    if (unsent.length > 0 && (room <= 0 || connection.hasSenders())) {
      connection.write(Wire.CALL, 0, stream, block);
    } else {
      writeFragment(Wire.CALL, Wire.FLAG_HAS_MESSAGE, block, room);
    }
    if (isSending) {
      queue();
    }
  }

  /** Sends a message of a request stream; done when all of it is handed over, or the call ended. */
  CompletableFuture<Void> send(byte[] message) {
    if (isDone) {
      return CompletableFuture.completedFuture(null);
    }
    put(message, false);
    sender = new CompletableFuture<>();
    CompletableFuture<Void> result = sender;
    queue();
    return result;
  }

  /** Says that no more messages follow: with the rest of the one that waits for credit (W6.7), or now. */
  void halfClose() {
    if (isDone) {
      return;
    }
    if (isSending) {
      closesAfter = true;
    } else {
      connection.write(Wire.END, 0, stream, NOTHING);
    }
  }

  private void put(byte[] message, boolean halfClose) {
    if (message.length > connection.peer.messageMax) {
      throw HitoException.of(
          StatusCode.RESOURCE_EXHAUSTED,
          "the request has "
              + message.length
              + " bytes, the server accepts "
              + connection.peer.messageMax,
          HitoException.Said.NOT_STARTED);
    }
    byte[] packed = connection.compresses() ? Compression.pack(message) : null;
    messageFlags = packed == null ? 0 : Wire.FLAG_COMPRESSED;
    unsent = packed == null ? message : packed;
    sent = 0;
    isSending = true;
    closesAfter = halfClose;
  }

  private void queue() {
    if (!isQueued) {
      isQueued = true;
      connection.enqueue(this);
    }
    connection.pump();
  }

  /** Sends one fragment, if it may. */
  Sending sendFragment(int max) {
    if (isDone || !isSending) {
      isQueued = false;
      return Sending.DONE;
    }
    int room = room(Math.min(max, connection.peer.framePayloadMax));
    if (room <= 0 && unsent.length > sent) {
      if (isEnough(sendWindow.available())) {
        return Sending.WAITS_FOR_CONNECTION;
      }
      isQueued = false;
      return Sending.WAITS_FOR_STREAM;
    }
    writeFragment(Wire.MESSAGE, 0, NOTHING, room);
    if (isSending) {
      return Sending.SENT;
    }
    isQueued = false;
    return Sending.DONE;
  }

  /** What a fragment may carry now; 0 where that is too little for one (W9.2). */
  private int room(int frameRoom) {
    long credit = Math.min(sendWindow.available(), connection.sendCredit.available());
    int room = (int) Math.min(frameRoom, credit);
    return isEnough(room) ? room : 0;
  }

  private boolean isEnough(long room) {
    return room >= Math.min(unsent.length - sent, Wire.FRAGMENT_MIN);
  }

  private void writeFragment(int kind, int flags, byte[] block, int room) {
    // Of the first fragment of a message alone.
    int all = flags | messageFlags;
    messageFlags = 0;
    int size = Math.min(Math.max(0, room), unsent.length - sent);
    sendWindow.take(size);
    connection.sendCredit.take(size);
    isSending = sent + size < unsent.length;
    if (isSending) {
      all |= Wire.FLAG_MORE;
    } else if (closesAfter) {
      all |= Wire.FLAG_END;
    }
    connection.write(Wire.frame(kind, all, stream, block, unsent, sent, size));
    sent += size;
    if (!isSending) {
      unsent = NOTHING;
      sent = 0;
      wake();
    }
  }

  void granted(long amount) {
    sendWindow.grant(amount);
    if (isSending) {
      queue();
    }
  }

  // Receiving

  /**
   * The next message; null at the end of a call that went well; fails as the call did. One at a
   * time.
   */
  CompletableFuture<byte[]> receive() {
    reader = new CompletableFuture<>();
    CompletableFuture<byte[]> result = reader;
    wakeReader();
    return result;
  }

  /** Has the task run once the call has ended and all its messages were received. */
  void whenDrained(Runnable task) {
    onDrained = task;
    wake();
  }

  /** Gives the call up, if it has not ended; a reader that waits gets {@code error}. */
  void cancel(HitoException error) {
    if (!isDone) {
      this.error = error;
      connection.write(Wire.CANCEL, 0, stream, NOTHING);
      finish();
    }
    while (!messages.isEmpty()) {
      connection.consumed(messages.poll().owed());
    }
  }

  void headReceived(Metadata metadata) {
    if (hasHead || hasMessage) {
      throw WireException.protocol("HEAD that is not before the first message");
    }
    hasHead = true;
    this.metadata = metadata;
  }

  void messageReceived(byte[] payload, boolean isLast, boolean isCompressed) {
    receiveWindow.received(payload.length);
    boolean isInside = partial.size() > 0;
    if (isCompressed && isInside) {
      throw WireException.protocol("COMPRESSED inside a message");
    }
    if (!isInside) {
      this.isCompressed = isCompressed;
    }
    hasMessage = true;
    if (partial.size() + (long) payload.length > connection.own.messageMax) {
      connection.consumed(payload.length);
      cancel(HitoException.exhausted("the server sent a message above our limit"));
      return;
    }
    if (!isLast) {
      partial.writeBytes(payload);
      // On arrival: a message larger than the window must not stall (W9.5).
      returnCredit(payload.length);
      return;
    }
    byte[] message = payload;
    if (isInside) {
      partial.writeBytes(payload);
      message = partial.toByteArray();
      partial.reset();
    }
    HitoException failure = deliver(message, payload.length);
    if (failure != null) {
      cancel(failure);
      return;
    }
    if (message.length == 0 && ++emptyMessages > EMPTY_MESSAGES_MAX) {
      cancel(HitoException.exhausted("the server floods the call with empty messages"));
    }
    wake();
  }

  /** Puts a whole message where its reader finds it; why not, where it is not what it says. */
  private HitoException deliver(byte[] message, int owed) {
    byte[] whole = message;
    if (isCompressed) {
      try {
        whole = Compression.unpack(message, connection.own.messageMax);
      } catch (Compression.Refused refused) {
        connection.consumed(owed);
        return HitoException.internal("the server sent " + refused.getMessage());
      }
    }
    messages.add(new Received(whole, owed));
    return null;
  }

  void endReceived(End end, boolean isCompressed) {
    if (end.message != null) {
      receiveWindow.received(end.message.length);
      if (end.status != 0 || partial.size() > 0) {
        throw WireException.protocol("END with a message it may not have");
      }
      this.isCompressed = isCompressed;
      HitoException failure = deliver(end.message, end.message.length);
      if (failure != null) {
        fail(failure);
        return;
      }
    } else if (end.status == 0 && partial.size() > 0) {
      throw WireException.protocol("END inside a message");
    }
    trailers = end.trailers();
    if (end.status != 0) {
      error =
          HitoException.of(
              StatusCode.of(end.status),
              end.text,
              HitoException.Said.byServer(end.details, end.resumeCursor, end.notStarted));
    }
    finish();
  }

  /** The connection's end, or this side's fault. */
  void fail(HitoException error) {
    if (!isDone) {
      this.error = error;
      finish();
    }
  }

  private void finish() {
    isDone = true;
    if (isQueued) {
      isQueued = false;
      connection.dequeue(this);
    }
    unsent = NOTHING;
    partial.reset();
    connection.forget(this);
    wake();
  }

  private void returnCredit(int amount) {
    connection.consumed(amount);
    if (!isDone) {
      int granted = receiveWindow.consumed(amount);
      if (granted > 0) {
        connection.write(Wire.CREDIT, 0, stream, Wire.bytes32(granted));
      }
    }
  }

  /** At the end of the turn: whoever is woken may do anything with this call. */
  private void wake() {
    if (!isWakePlanned) {
      isWakePlanned = true;
      connection.loop.atTurnEnd(
          () -> {
            isWakePlanned = false;
            wakeSender();
            wakeReader();
          });
    }
  }

  private void wakeSender() {
    if (sender != null && (isDone || !isSending)) {
      CompletableFuture<Void> done = sender;
      sender = null;
      done.complete(null);
    }
  }

  private void wakeReader() {
    if (reader != null) {
      CompletableFuture<byte[]> waiting = reader;
      if (!messages.isEmpty()) {
        reader = null;
        Received next = messages.poll();
        emptyMessages -= next.message().length == 0 ? 1 : 0;
        returnCredit(next.owed());
        waiting.complete(next.message());
      } else if (error != null) {
        reader = null;
        waiting.completeExceptionally(error);
      } else if (isDone) {
        reader = null;
        waiting.complete(null);
      }
    }
    if (onDrained != null && isDone && messages.isEmpty()) {
      Runnable task = onDrained;
      onDrained = null;
      task.run();
    }
  }
}
