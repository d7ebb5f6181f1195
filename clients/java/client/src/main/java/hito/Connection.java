package hito;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One TLS connection: frames in and out, calls, credit, keepalive, drain. Of the loop. */
final class Connection implements TlsChannel.Listener {
  /** Who is told what becomes of a connection. */
  interface Owner {
    /** The server has begun the handshake, or has done with it; it has not said HELLO yet. */
    void heard(Connection connection, boolean isSecured);

    /** It said HELLO and takes calls. */
    void established(Connection connection);

    /** It takes no more calls, whether it was established or not. */
    void retired(Connection connection);

    /** The server has answered, for the first time. */
    void served(Connection connection);

    /** One of its calls has ended, or was not opened after all. */
    void callEnded(Connection connection);

    /** It is no more. */
    void ended(Connection connection);
  }

  static final String ALPN = "hito/1";
  // Only control frames pass the channel's own pause; a peer that asks for this many never reads.
  private static final int WRITE_BUFFER_MAX = 8 << 20;
  private static final byte[] NOTHING = {};
  private static final byte[] PING = "hitoping".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

  /** Its owner's, once it is established. */
  int number;

  /** The address that it is one to, of its owner's. */
  final int place;

  final Hello own;
  Hello peer = new Hello();
  final EventLoop loop;
  final SendWindow sendCredit = new SendWindow(0);
  private final ReceiveWindow receiveCredit;
  private final FrameDecoder decoder;
  private final Owner owner;
  private final Map<Integer, Call> calls = new LinkedHashMap<>();
  // Calls with something to send, in turn (W9.10).
  private final ArrayDeque<Call> senders = new ArrayDeque<>();
  private TlsChannel tls;
  private long keepaliveNanos;
  private int minorVersion;
  private boolean compresses;
  private long nextStream = 1;
  private boolean isHelloReceived;
  private boolean isDraining;
  private boolean isRetired;
  private boolean isLost;
  private boolean hasServed;
  private boolean isFlushPlanned;
  private HitoException failure;
  // Why it ends, where that is in order: closed by us, or drained by the server.
  private String goodbye;
  private String drain = "drained";
  private long receivedAt;
  private boolean isPinged;
  private EventLoop.Timer timer;

  Connection(EventLoop loop, Hello own, long keepaliveNanos, int place, Owner owner) {
    this.loop = loop;
    this.own = own;
    this.keepaliveNanos = keepaliveNanos;
    this.place = place;
    this.owner = owner;
    receiveCredit = new ReceiveWindow(own.connectionCredit);
    decoder = new FrameDecoder(own.framePayloadMax);
  }

  void start(TlsChannel tls) {
    this.tls = tls;
    tls.start();
  }

  // What the pool asks

  boolean isOpen() {
    return !isLost && failure == null;
  }

  boolean isDraining() {
    return isDraining;
  }

  boolean isLost() {
    return isLost;
  }

  /** Why it ended, or was not established. */
  HitoException failure() {
    return failure;
  }

  /** Whether it was closed by us, or drained by the server, and nothing was lost by that. */
  boolean endsInOrder() {
    return goodbye != null;
  }

  /** For people: why it ended. */
  String endReason() {
    return goodbye == null && failure != null ? failure.text() : goodbye;
  }

  boolean compresses() {
    return compresses;
  }

  /**
   * Opens a call for which there is a place and writes its first frame; what is left of the message
   * follows by itself.
   */
  Call open(CallHeader header, byte[] message, boolean halfClose) {
    Call call;
    try {
      call = opened(header, message, halfClose);
    } catch (RuntimeException error) {
      owner.callEnded(this);
      throw error;
    }
    return call;
  }

  private Call opened(CallHeader header, byte[] message, boolean halfClose) {
    if (!isOpen() || isDraining || nextStream > Wire.STREAM_ID_MAX) {
      // Between the choice of the connection and now.
      throw HitoException.unreachable("the connection takes no more calls");
    }
    if (minorVersion < 1 && header.metadata().hasBytes()) {
      throw HitoException.of(
          StatusCode.UNIMPLEMENTED,
          "the server is too old for metadata that is bytes",
          HitoException.Said.NOT_STARTED);
    }
    byte[] block = header.encoded();
    Call call = new Call(this, (int) nextStream);
    calls.put(call.stream, call);
    try {
      call.begin(block, message, halfClose);
    } catch (RuntimeException error) {
      calls.remove(call.stream);
      throw error;
    }
    nextStream += 2;
    if (nextStream > Wire.STREAM_ID_MAX) {
      retire();
    }
    return call;
  }

  /** Ends the calls and the connection. */
  void close() {
    for (Call call : new ArrayList<>(calls.values())) {
      call.cancel(HitoException.cancelled("the client was closed"));
    }
    if (isOpen()) {
      sayGoodbye("closed");
    }
  }

  /** Ends it without a word, and what it was to become with {@code why}. */
  void abort(HitoException why) {
    fail(why);
    if (tls != null) {
      tls.abort();
    } else {
      ended(null);
    }
  }

  // What calls ask

  void write(int kind, int flags, int stream, byte[] payload) {
    write(Wire.frame(kind, flags, stream, payload, NOTHING, 0, 0));
  }

  /** Queues a frame; what one turn of the loop queues is written at once. */
  void write(byte[] frame) {
    if (tls == null || isLost) {
      return;
    }
    tls.write(frame);
    if (!isFlushPlanned) {
      isFlushPlanned = true;
      loop.atTurnEnd(this::flush);
    }
  }

  private void flush() {
    isFlushPlanned = false;
    tls.flush();
    if (tls.queued() > WRITE_BUFFER_MAX) {
      abort(HitoException.unavailable("the server does not read"));
    }
  }

  boolean hasSenders() {
    return !senders.isEmpty();
  }

  /** A call has something to send. */
  void enqueue(Call call) {
    senders.add(call);
  }

  /** Lets the calls that have something to send do so, one fragment each in turn. */
  void pump() {
    while (!senders.isEmpty() && (tls.isWritable() || isLost)) {
      Call call = senders.peek();
      boolean isAlone = senders.size() == 1;
      switch (call.sendFragment(isAlone ? Integer.MAX_VALUE : Wire.FRAME_PAYLOAD_MIN)) {
        case SENT -> {
          senders.poll();
          senders.add(call);
        }
        case WAITS_FOR_CONNECTION -> {
          return;
        }
        case WAITS_FOR_STREAM, DONE -> senders.poll();
      }
      // What is queued goes to the socket, which may say that it is enough.
      if (tls.queued() > Wire.FRAME_PAYLOAD_MAX / 4) {
        tls.flush();
      }
    }
  }

  void dequeue(Call call) {
    senders.remove(call);
  }

  void consumed(int amount) {
    int granted = receiveCredit.consumed(amount);
    if (granted > 0) {
      write(Wire.CREDIT, 0, 0, Wire.bytes32(granted));
    }
  }

  /** A call has ended. */
  void forget(Call call) {
    if (calls.remove(call.stream) == null) {
      return;
    }
    if (isDraining && calls.isEmpty() && isOpen()) {
      sayGoodbye(drain);
    }
    owner.callEnded(this);
  }

  private void served() {
    if (!hasServed) {
      hasServed = true;
      owner.served(this);
    }
  }

  // What the channel tells

  @Override
  public void handshaking() {
    owner.heard(this, false);
  }

  @Override
  public void secured(String protocol) {
    if (!ALPN.equals(protocol)) {
      abort(HitoException.unavailable("the peer does not speak " + ALPN));
      return;
    }
    owner.heard(this, true);
    write(Wire.HELLO, 0, 0, own.encoded());
  }

  @Override
  public void received(ByteBuffer bytes) {
    receivedAt = loop.now();
    isPinged = false;
    try {
      Frame frame;
      while (isOpen() && (frame = decoder.next(bytes)) != null) {
        frameReceived(frame);
      }
    } catch (WireException error) {
      String text = "the server broke the protocol: " + error.getMessage();
      fail(HitoException.internal(text));
      sayGoodbye(error.reason, error.getMessage());
    }
  }

  @Override
  public void writable() {
    pump();
  }

  @Override
  public void ended(Exception why) {
    if (isLost) {
      return;
    }
    isLost = true;
    loop.cancel(timer);
    fail(TlsFailure.of(why));
    owner.ended(this);
  }

  // Frames

  private void frameReceived(Frame frame) {
    if (!isHelloReceived) {
      firstFrameReceived(frame);
      return;
    }
    switch (frame.kind()) {
      case Wire.MESSAGE -> messageReceived(frame);
      case Wire.END -> endReceived(frame);
      case Wire.HEAD -> headReceived(frame);
      case Wire.CREDIT -> creditReceived(frame);
      case Wire.PING -> write(Wire.PONG, 0, 0, frame.payload());
      case Wire.GOAWAY -> goAwayReceived(GoAway.decode(frame.payload()));
      case Wire.HELLO -> throw WireException.protocol("a second HELLO");
      default -> {
        // A PONG: that something arrived is all that it says.
      }
    }
  }

  private void firstFrameReceived(Frame frame) {
    if (frame.kind() == Wire.GOAWAY) {
      GoAway refusal = GoAway.decode(frame.payload());
      abort(HitoException.unavailable("refused: " + refusal.why()));
      return;
    }
    if (frame.kind() != Wire.HELLO) {
      throw WireException.protocol("the first frame is not HELLO");
    }
    peer = Hello.decode(frame.payload());
    minorVersion = Math.min(own.minorVersion, peer.minorVersion);
    decoder.agreed(minorVersion);
    boolean isListed = minorVersion >= 1 && peer.reads(Compression.DEFLATE);
    compresses = isListed && own.encodings.length > 0;
    sendCredit.grant(peer.connectionCredit);
    isHelloReceived = true;
    // Above the server's least interval: sooner counts as abuse (W10.2).
    keepaliveNanos = Math.max(keepaliveNanos, peer.pingIntervalMillis * 1_100_000);
    timer = loop.after(keepaliveNanos, this::watchOver);
    owner.established(this);
  }

  private void messageReceived(Frame frame) {
    receiveCredit.received(frame.payload().length);
    Call call = calls.get(frame.stream());
    if (call == null) {
      checkOpened(frame.stream());
      // Crossed with our CANCEL: only the connection's credit is owed (W9.6).
      consumed(frame.payload().length);
      return;
    }
    served();
    boolean isLast = !frame.has(Wire.FLAG_MORE);
    call.messageReceived(frame.payload(), isLast, frame.has(Wire.FLAG_COMPRESSED));
  }

  private void endReceived(Frame frame) {
    End end = End.decode(frame);
    int size = end.message == null ? 0 : end.message.length;
    receiveCredit.received(size);
    Call call = calls.get(frame.stream());
    if (call == null) {
      checkOpened(frame.stream());
      consumed(size);
      return;
    }
    served();
    call.endReceived(end, frame.has(Wire.FLAG_COMPRESSED));
  }

  private void headReceived(Frame frame) {
    Metadata metadata = End.decodeHead(frame.payload());
    Call call = calls.get(frame.stream());
    if (call == null) {
      checkOpened(frame.stream());
    } else {
      call.headReceived(metadata);
    }
  }

  private void creditReceived(Frame frame) {
    if (frame.stream() == 0) {
      sendCredit.grant(amount(frame));
      pump();
      return;
    }
    Call call = calls.get(frame.stream());
    if (call == null) {
      // Ended, and then anything goes, also nothing (W5.9).
      checkOpened(frame.stream());
    } else {
      call.granted(amount(frame));
    }
  }

  private static long amount(Frame frame) {
    long amount = Wire.number(ByteBuffer.wrap(frame.payload()), 4);
    if (amount == 0) {
      throw WireException.protocol("CREDIT of nothing");
    }
    return amount;
  }

  private void goAwayReceived(GoAway goAway) {
    isDraining = true;
    drain = "drained: " + goAway.why();
    // First: what ends here must not be given to a call that waits for room.
    retire();
    for (Call call : new ArrayList<>(calls.values())) {
      if (call.stream > goAway.lastStream()) {
        call.fail(HitoException.unreachable("the server is going away: " + goAway.why()));
      }
    }
    if (!goAway.isDrain()) {
      fail(HitoException.unavailable("the server ended the connection: " + goAway.why()));
    }
    if (calls.isEmpty()) {
      sayGoodbye(drain);
    }
  }

  private void checkOpened(int stream) {
    if (stream >= nextStream) {
      throw WireException.protocol("stream " + stream + " was never opened");
    }
  }

  // The end

  /** No more calls; those under way end with {@code error}. */
  private void fail(HitoException error) {
    if (failure == null) {
      failure = error;
    }
    retire();
    List<Call> running = new ArrayList<>(calls.values());
    for (Call call : running) {
      call.fail(failure);
    }
  }

  private void retire() {
    if (!isRetired) {
      isRetired = true;
      owner.retired(this);
    }
  }

  private void sayGoodbye(String why) {
    if (failure == null && goodbye == null) {
      goodbye = why;
    }
    sayGoodbye(Wire.NO_ERROR, "");
  }

  private void sayGoodbye(int reason, String text) {
    if (tls == null || isLost) {
      return;
    }
    tls.write(Wire.frame(Wire.GOAWAY, 0, 0, new GoAway(0, reason, text).encoded()));
    isDraining = true;
    tls.close();
    retire();
  }

  /** Asks whether the server is still there when calls wait and nothing arrives (W10). */
  private void watchOver() {
    if (isPinged) {
      abort(HitoException.unavailable("the server does not answer any more"));
      return;
    }
    if (!calls.isEmpty() && loop.now() - receivedAt >= keepaliveNanos / 10 * 9) {
      isPinged = true;
      write(Wire.PING, 0, 0, PING);
    }
    timer = loop.after(keepaliveNanos, this::watchOver);
  }
}
