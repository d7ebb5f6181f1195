package hito;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A server that plays one script for each connection, in order, the last for all that follow. */
final class FakeServer implements AutoCloseable {
  /** What is played on a connection. */
  interface Script {
    void play(Peer peer) throws Exception;
  }

  /** A CALL frame: its fields as text, by their tags. */
  record Incoming(int stream, Map<Integer, String> fields) {
    String token() {
      return fields.get(5);
    }

    String key() {
      return fields.get(3);
    }
  }

  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final SSLContext TLS = context();

  private final ServerSocket server = new ServerSocket(0, 50, null);
  private final List<Script> scripts;
  private final List<Thread> threads = new CopyOnWriteArrayList<>();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private int accepted;

  FakeServer(Script... scripts) throws IOException {
    this.scripts = List.of(scripts);
    start(this::accept);
  }

  String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  /** A client to be of this server, which it trusts. */
  ClientBuilder client() {
    return Client.builder(address()).sslContext(TLS);
  }

  /** Of nobody. */
  static ClientBuilder clientOf(String address) {
    return Client.builder(address).sslContext(TLS);
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Thread thread : threads) {
      if (!hasEnded(thread)) {
        throw new AssertionError("a script did not end");
      }
    }
    for (Throwable failure : failures) {
      throw new AssertionError("a script failed", failure);
    }
  }

  private static boolean hasEnded(Thread thread) {
    try {
      thread.join(10_000);
      return !thread.isAlive();
    } catch (InterruptedException error) {
      throw new AssertionError(error);
    }
  }

  private void start(Runnable task) {
    Thread thread = new Thread(task, "fake-server");
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  private void accept() {
    while (true) {
      Socket socket;
      try {
        socket = server.accept();
      } catch (IOException error) {
        return; // It was closed.
      }
      Script script = scripts.get(Math.min(accepted++, scripts.size() - 1));
      start(() -> play(script, socket));
    }
  }

  private void play(Script script, Socket socket) {
    try (Peer peer = new Peer(socket)) {
      script.play(peer);
    } catch (Throwable failure) {
      failures.add(failure);
    }
  }

  /** One accepted connection. */
  static final class Peer implements AutoCloseable {
    private final Socket plain;
    private final SSLSocket socket;
    private final DataInputStream in;
    private final OutputStream out;

    Peer(Socket plain) throws IOException {
      this.plain = plain;
      socket = (SSLSocket) TLS.getSocketFactory().createSocket(plain, null, true);
      socket.setUseClientMode(false);
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {Connection.ALPN});
      socket.setSSLParameters(parameters);
      in = new DataInputStream(socket.getInputStream());
      out = socket.getOutputStream();
    }

    /** The next frame that is not of the kinds to skip. */
    Frame frame(Integer... skip) throws IOException {
      while (true) {
        byte[] payload = new byte[in.readInt()];
        int kind = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        in.readFully(payload);
        if (!List.of(skip).contains(kind)) {
          return new Frame(kind, flags, stream, payload);
        }
      }
    }

    void send(int kind, int flags, int stream, byte[] payload) throws IOException {
      out.write(Wire.frame(kind, flags, stream, payload));
      out.flush();
    }

    /** Exchanges HELLO; the client has a token there only where it should. */
    void greet(String token) throws IOException {
      Frame hello = frame();
      if (hello.kind() != Wire.HELLO || !token.equals(fields(hello).getOrDefault(8, ""))) {
        throw new AssertionError("not the HELLO that it should be");
      }
      byte[] id = "fake".getBytes(StandardCharsets.UTF_8);
      send(Wire.HELLO, 0, 0, new Wire.BlockWriter().put16(1, 0).put(10, id).block());
    }

    void greet() throws IOException {
      greet("");
    }

    /** The next call. */
    Incoming call() throws IOException {
      Frame frame = frame(Wire.CREDIT, Wire.CANCEL, Wire.MESSAGE, Wire.END);
      if (frame.kind() != Wire.CALL) {
        throw new IOException("no CALL but a frame of kind " + frame.kind());
      }
      return new Incoming(frame.stream(), fields(frame));
    }

    private static Map<Integer, String> fields(Frame frame) {
      Map<Integer, String> fields = new HashMap<>();
      Wire.readBlock(
          frame.payload(),
          (tag, value) -> fields.put(tag, new String(Wire.bytes(value), StandardCharsets.UTF_8)));
      return fields;
    }

    void message(int stream, byte[] message) throws IOException {
      send(Wire.MESSAGE, 0, stream, message);
    }

    /** The end of a call that went well, with an empty reply. */
    void reply(int stream) throws IOException {
      send(Wire.END, Wire.FLAG_HAS_MESSAGE, stream, new Wire.BlockWriter().block());
    }

    /** The end of a stream. */
    void end(int stream) throws IOException {
      send(Wire.END, 0, stream, new Wire.BlockWriter().block());
    }

    void fail(int stream, StatusCode status, String text) throws IOException {
      byte[] said = text.getBytes(StandardCharsets.UTF_8);
      Wire.BlockWriter block = new Wire.BlockWriter().put16(1, status.number());
      send(Wire.END, 0, stream, block.put(2, said).block());
    }

    /** Reads until the client ends the connection. */
    void atEnd() {
      try {
        while (true) {
          frame();
        }
      } catch (IOException error) {
        // That was it.
      }
    }

    /** As a killed server: no GOAWAY, no close_notify. */
    void kill() throws IOException {
      plain.setSoLinger(true, 0);
      plain.close();
    }

    @Override
    public void close() throws IOException {
      if (!plain.isClosed()) {
        socket.close();
      }
    }
  }

  /** For both sides: a certificate for 127.0.0.1 that is its own authority, of this run. */
  private static SSLContext context() {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      Path file = Files.createTempDirectory("hito-test").resolve("keys.p12");
      keytool(
          "-genkeypair", "-alias", "server", "-keyalg", "EC", "-groupname", "secp256r1", "-dname",
          "CN=test", "-ext", "san=ip:127.0.0.1", "-validity", "2", "-storetype", "PKCS12",
          "-storepass", new String(PASSWORD), "-keystore", file.toString());
      try (InputStream in = Files.newInputStream(file)) {
        store.load(in, PASSWORD);
      }
      Files.delete(file);
      Files.delete(file.getParent());
      KeyStore trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      trusted.setCertificateEntry("server", store.getCertificate("server"));
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store, PASSWORD);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context;
    } catch (Exception error) {
      throw new ExceptionInInitializerError(error);
    }
  }

  private static void keytool(String... arguments) throws Exception {
    String program = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(new File("/dev/null"))
            .start();
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    process.getInputStream().transferTo(said);
    if (process.waitFor() != 0) {
      throw new IOException("keytool: " + said);
    }
  }
}
