package hito;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/** One attempt at an address: a socket, TLS, HELLO, in ten seconds together. Of the loop. */
final class Dial {
  private static final long TIMEOUT_NANOS = 10_000_000_000L;
  private static boolean isWarm;

  private final EventLoop loop;
  private final Settings settings;
  private final Executor worker;
  private final Address address;
  private final Connection connection;
  private final Dialer dialer;
  private final EventLoop.Timer timer;
  private final long begunAt;

  Dial(
      EventLoop loop, Settings settings, Executor worker, int place, Connection.Owner owner) {
    this.loop = loop;
    this.settings = settings;
    this.worker = worker;
    address = settings.addresses().get(place);
    connection = new Connection(loop, settings.own(), settings.keepaliveNanos(), place, owner);
    dialer = new Dialer(loop, this::connected, this::failed);
    begunAt = loop.now();
    timer = loop.after(TIMEOUT_NANOS, () -> cancel("no answer in time"));
    dialer.start(address, worker);
  }

  Connection connection() {
    return connection;
  }

  long nanos() {
    return loop.now() - begunAt;
  }

  /** It came to something, or to nothing. */
  void done() {
    loop.cancel(timer);
    dialer.cancel();
  }

  void cancel(String why) {
    done();
    connection.abort(HitoException.unavailable(why));
  }

  /** Why it came to nothing. */
  HitoException failure() {
    HitoException error = connection.failure();
    HitoException.Said said =
        error.isUntrusted() ? HitoException.Said.UNTRUSTED : HitoException.Said.NOT_STARTED;
    String text = "cannot connect to " + address + ": " + error.text();
    return HitoException.of(StatusCode.UNAVAILABLE, text, said);
  }

  private void failed(IOException error) {
    cancel(error.getMessage() == null ? error.toString() : error.getMessage());
  }

  private void connected(SocketChannel socket) {
    String name = settings.serverName() == null ? address.host() : settings.serverName();
    SSLEngine engine = engine(settings.tls(), name, address.port());
    connection.start(new TlsChannel(loop, worker, socket, engine, connection));
  }

  private static SSLEngine engine(SSLContext tls, String name, int port) {
    SSLEngine engine = tls.createSSLEngine(name, port);
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(new String[] {"TLSv1.3"});
    parameters.setApplicationProtocols(new String[] {Connection.ALPN});
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    engine.setSSLParameters(parameters);
    return engine;
  }

  /**
   * Makes the first bytes of a handshake once, for nobody: what a process loads for them takes
   * longer than a server may be silent, and must not be taken for the first server's silence.
   */
  static synchronized void warmUp(SSLContext tls) {
    if (isWarm) {
      return;
    }
    isWarm = true;
    try {
      SSLEngine engine = engine(tls, "localhost", 1);
      engine.beginHandshake();
      ByteBuffer out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
      engine.wrap(ByteBuffer.allocate(0), out);
      SocketChannel.open().close();
    } catch (IOException error) {
      // The first connection will say it.
    }
  }
}
