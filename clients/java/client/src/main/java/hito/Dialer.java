package hito;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Connects to a name by whichever of its addresses answers first (C1.1). Of the loop, apart from
 * the look-up.
 */
final class Dialer {
  /** How long an address is tried before the next one is tried beside it. */
  private static final long NEXT_NANOS = 250_000_000L;

  private final EventLoop loop;
  private final Consumer<SocketChannel> connected;
  private final Consumer<IOException> failed;
  private final Deque<InetSocketAddress> left = new ArrayDeque<>();
  private final List<SocketChannel> attempts = new ArrayList<>();
  private EventLoop.Timer timer;
  private IOException failure;
  private boolean isDone;

  /** One of the two is told, once, unless it is cancelled. */
  Dialer(EventLoop loop, Consumer<SocketChannel> connected, Consumer<IOException> failed) {
    this.loop = loop;
    this.connected = connected;
    this.failed = failed;
  }

  void start(Address address, Executor worker) {
    // Asking for a name blocks.
    worker.execute(
        () -> {
          try {
            InetAddress[] found = InetAddress.getAllByName(address.host());
            loop.execute(() -> found(mixed(found), address.port()));
          } catch (UnknownHostException error) {
            loop.execute(() -> fail(new IOException("no such host")));
          }
        });
  }

  void cancel() {
    isDone = true;
    loop.cancel(timer);
    attempts.forEach(Dialer::close);
    attempts.clear();
  }

  /** Families in turn, so that one that does not work costs one wait. */
  static List<InetAddress> mixed(InetAddress[] found) {
    Deque<InetAddress> first = new ArrayDeque<>();
    Deque<InetAddress> other = new ArrayDeque<>();
    for (InetAddress address : found) {
      boolean isFirst = address instanceof Inet6Address == found[0] instanceof Inet6Address;
      (isFirst ? first : other).add(address);
    }
    List<InetAddress> mixed = new ArrayList<>();
    while (!first.isEmpty() || !other.isEmpty()) {
      if (!first.isEmpty()) {
        mixed.add(first.poll());
      }
      if (!other.isEmpty()) {
        mixed.add(other.poll());
      }
    }
    return mixed;
  }

  private void found(List<InetAddress> addresses, int port) {
    for (InetAddress address : addresses) {
      left.add(new InetSocketAddress(address, port));
    }
    next();
  }

  private void next() {
    loop.cancel(timer);
    if (isDone) {
      return;
    }
    InetSocketAddress address = left.poll();
    if (address == null) {
      if (attempts.isEmpty()) {
        fail(failure == null ? new IOException("no address") : failure);
      }
      return;
    }
    timer = loop.after(NEXT_NANOS, this::next);
    SocketChannel socket = null;
    try {
      socket = SocketChannel.open();
      socket.configureBlocking(false);
      socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
      attempts.add(socket);
      if (socket.connect(address)) {
        won(socket, null);
      } else {
        loop.register(socket, SelectionKey.OP_CONNECT, this::ready);
      }
    } catch (IOException error) {
      lost(socket, error);
    }
  }

  private void ready(SelectionKey key) {
    SocketChannel socket = (SocketChannel) key.channel();
    try {
      if (socket.finishConnect()) {
        won(socket, key);
      }
    } catch (IOException error) {
      lost(socket, error);
    }
  }

  private void won(SocketChannel socket, SelectionKey key) {
    attempts.remove(socket);
    cancel();
    if (key != null) {
      key.interestOps(0);
    }
    connected.accept(socket);
  }

  private void lost(SocketChannel socket, IOException error) {
    close(socket);
    attempts.remove(socket);
    failure = error;
    next();
  }

  private void fail(IOException error) {
    if (!isDone) {
      isDone = true;
      failed.accept(error);
    }
  }

  private static void close(SocketChannel socket) {
    try {
      if (socket != null) {
        socket.close();
      }
    } catch (IOException error) {
      // It is gone either way.
    }
  }
}
