package hito;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/** TLS over a connected socket, without blocking. Of the loop, apart from what the engine asks. */
final class TlsChannel implements EventLoop.Handler {
  /** Who is told what happens. */
  interface Listener {
    /** The peer has begun to answer. */
    void handshaking();

    /** The handshake is done, and the peer is who it should be. */
    void secured(String protocol);

    /** What arrived; it is taken before this returns. */
    void received(ByteBuffer bytes);

    /** There is room again after {@link #isWritable} was false. */
    void writable();

    /** It is no more; once, and the last that is told. */
    void ended(Exception why);
  }

  // Above this nobody should write, apart from what cannot wait; below the other they may again.
  private static final int HIGH = 256 << 10;
  private static final int LOW = 64 << 10;
  private static final int READS_IN_TURN = 16;
  private static final long CLOSE_NANOS = 2_000_000_000L;
  private static final int MERGED_MAX = 16 << 10;

  private final EventLoop loop;
  private final Executor worker;
  private final SocketChannel socket;
  private final SSLEngine engine;
  private final Listener listener;
  private SelectionKey key;
  private final ArrayDeque<ByteBuffer> plain = new ArrayDeque<>();
  private int plainSize;
  // Ready to be written to the socket.
  private final ByteBuffer out;
  // Ready to be read from the socket, between calls.
  private final ByteBuffer in;
  private final ByteBuffer opened;
  private boolean isSecured;
  private boolean isHeard;
  private boolean isBusy;
  // Whoever is told what arrived may write, but not read on.
  private boolean isDelivering;
  private boolean isWritable = true;
  private boolean isClosing;
  private boolean isGoodbyeSaid;
  private boolean isEnded;
  private EventLoop.Timer closeTimer;

  TlsChannel(
      EventLoop loop, Executor worker, SocketChannel socket, SSLEngine engine, Listener listener) {
    this.loop = loop;
    this.worker = worker;
    this.socket = socket;
    this.engine = engine;
    this.listener = listener;
    int packet = engine.getSession().getPacketBufferSize();
    // Room for what the socket has at once, and for one packet beside what is not written yet.
    in = ByteBuffer.allocateDirect(4 * packet);
    out = ByteBuffer.allocateDirect(4 * packet);
    opened = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize() + 1024);
  }

  void start() {
    try {
      engine.beginHandshake();
      key = loop.register(socket, SelectionKey.OP_READ, this);
      progress();
    } catch (IOException | RuntimeException error) {
      end(error);
    }
  }

  boolean isWritable() {
    return isWritable && !isClosing && !isEnded;
  }

  int queued() {
    return plainSize + out.position();
  }

  /** Takes bytes; {@link #flush} has them written. */
  void write(byte[] bytes) {
    if (isClosing || isEnded) {
      return;
    }
    plain.add(ByteBuffer.wrap(bytes));
    plainSize += bytes.length;
  }

  void flush() {
    if (isEnded) {
      return;
    }
    try {
      progress();
    } catch (IOException | RuntimeException error) {
      end(error);
    }
  }

  /** Writes what was taken, says goodbye, and ends. */
  void close() {
    if (isClosing || isEnded) {
      return;
    }
    if (!isSecured) {
      end(null);
      return;
    }
    isClosing = true;
    closeTimer = loop.after(CLOSE_NANOS, () -> end(null));
    flush();
  }

  void abort() {
    end(null);
  }

  @Override
  public void ready(SelectionKey key) {
    try {
      if (key.isReadable()) {
        read();
      } else {
        progress();
      }
    } catch (IOException | RuntimeException error) {
      // Also what should not happen must not leave calls that wait for ever.
      end(error);
    }
  }

  private void read() throws IOException {
    for (int turn = 0; turn < READS_IN_TURN && !isEnded && !isBusy; turn++) {
      int room = in.remaining();
      int count = socket.read(in);
      if (count < 0) {
        // What came before the end may say why it came.
        progress();
        end(isSecured ? null : new SSLException("the peer ended the TLS handshake"));
        return;
      }
      hear(count);
      progress();
      if (count < room) {
        return;
      }
    }
  }

  private void hear(int count) {
    if (count > 0 && !isHeard) {
      isHeard = true;
      listener.handshaking();
    }
  }

  /** Goes on with whatever can go on. */
  private void progress() throws IOException {
    boolean goesOn = true;
    while (goesOn && !isEnded && !isBusy) {
      goesOn =
          switch (engine.getHandshakeStatus()) {
            case NEED_TASK -> runTasks();
            case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> !isDelivering && unwrap();
            case NEED_WRAP -> wrap();
            case FINISHED, NOT_HANDSHAKING -> {
              secured();
              boolean unwrapped = !isDelivering && unwrap();
              yield wrap() || unwrapped;
            }
          };
    }
    if (!isEnded && !isBusy) {
      drain();
    }
  }

  /** What takes long, as a certificate that is looked at, does not hold up other connections. */
  private boolean runTasks() {
    Runnable task = engine.getDelegatedTask();
    if (task == null) {
      return true;
    }
    isBusy = true;
    interest();
    worker.execute(
        () -> {
          task.run();
          loop.execute(
              () -> {
                isBusy = false;
                flush();
                interest();
              });
        });
    return false;
  }

  private void secured() {
    if (!isSecured && engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING) {
      isSecured = true;
      listener.secured(engine.getApplicationProtocol());
    }
  }

  /** Whether there was a packet. */
  private boolean unwrap() throws IOException {
    in.flip();
    SSLEngineResult result;
    try {
      opened.clear();
      result = engine.unwrap(in, opened);
    } finally {
      in.compact();
    }
    finished(result);
    if (opened.position() > 0 && !isClosing) {
      opened.flip();
      isDelivering = true;
      try {
        listener.received(opened);
      } finally {
        isDelivering = false;
      }
    }
    switch (result.getStatus()) {
      case BUFFER_UNDERFLOW:
        return false;
      case BUFFER_OVERFLOW:
        throw new SSLException("a TLS packet that is too large");
      case CLOSED:
        if (!isClosing) {
          // The peer said goodbye: it gets ours, and that is it.
          isClosing = true;
          closeTimer = loop.after(CLOSE_NANOS, () -> end(null));
        }
        if (isGoodbyeSaid || !isSecured) {
          end(null);
        }
        return false;
      default:
        return result.bytesConsumed() > 0 || result.bytesProduced() > 0;
    }
  }

  private void finished(SSLEngineResult result) {
    if (result.getHandshakeStatus() == HandshakeStatus.FINISHED) {
      secured();
    }
  }

  /** Whether something was wrapped. */
  private boolean wrap() throws IOException {
    boolean isHandshake =
        engine.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING && !isGoodbyeSaid;
    if (isClosing && plain.isEmpty() && !engine.isOutboundDone() && isSecured) {
      engine.closeOutbound();
      isGoodbyeSaid = true;
    }
    if (!isHandshake && plain.isEmpty() && !isGoodbyeSaid) {
      return false;
    }
    if (engine.isOutboundDone()) {
      return false;
    }
    if (out.remaining() < engine.getSession().getPacketBufferSize() && !drain()) {
      return false;
    }
    ByteBuffer next = isGoodbyeSaid || !isSecured ? ByteBuffer.allocate(0) : merged();
    SSLEngineResult result = engine.wrap(next, out);
    if (next.hasRemaining()) {
      plain.addFirst(next);
    }
    plainSize -= result.bytesConsumed();
    finished(result);
    return result.bytesProduced() > 0;
  }

  /** Small frames that wait together go in one packet. */
  private ByteBuffer merged() {
    ByteBuffer first = plain.poll();
    if (first == null) {
      return ByteBuffer.allocate(0);
    }
    if (plain.isEmpty() || first.remaining() + plain.peek().remaining() > MERGED_MAX) {
      return first;
    }
    ByteBuffer all = ByteBuffer.allocate(MERGED_MAX);
    all.put(first);
    while (!plain.isEmpty() && plain.peek().remaining() <= all.remaining()) {
      all.put(plain.poll());
    }
    return all.flip();
  }

  /** Writes what is wrapped to the socket; whether it took all of it. */
  private boolean drain() throws IOException {
    out.flip();
    try {
      while (out.hasRemaining() && socket.write(out) > 0) {
        continue;
      }
    } finally {
      out.compact();
    }
    boolean isDone = out.position() == 0;
    interest();
    if (isDone && isGoodbyeSaid && engine.isOutboundDone()) {
      saidGoodbye();
    }
    watermarks();
    return isDone;
  }

  private void saidGoodbye() throws IOException {
    if (engine.isInboundDone()) {
      end(null);
    } else {
      // The peer reads the rest before it closes; who closes with bytes unread may lose them for it.
      socket.shutdownOutput();
    }
  }

  private void watermarks() {
    if (isWritable && queued() > HIGH) {
      isWritable = false;
    } else if (!isWritable && queued() < LOW) {
      isWritable = true;
      listener.writable();
    }
  }

  private void interest() {
    if (key != null && key.isValid()) {
      int wanted = isBusy ? 0 : SelectionKey.OP_READ;
      key.interestOps(out.position() > 0 ? wanted | SelectionKey.OP_WRITE : wanted);
    }
  }

  private void end(Exception why) {
    if (isEnded) {
      return;
    }
    isEnded = true;
    loop.cancel(closeTimer);
    sendAlert();
    try {
      socket.close();
    } catch (IOException error) {
      // It is gone either way.
    }
    plain.clear();
    listener.ended(why);
  }

  /** The peer of a failed handshake hears why, where the socket takes it at once. */
  private void sendAlert() {
    try {
      if (!isSecured && engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
        engine.wrap(ByteBuffer.allocate(0), out);
        out.flip();
        socket.write(out);
      }
    } catch (IOException error) {
      // It failed anyway.
    }
  }
}
