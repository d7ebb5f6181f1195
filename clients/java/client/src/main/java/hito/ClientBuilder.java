package hito;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;

/** What a client is to be like. */
public final class ClientBuilder {
  private final List<Address> addresses;
  private Path caFile;
  private Path certificateFile;
  private Path keyFile;
  private SSLContext tls;
  private String serverName;
  private String token = "";
  private TokenProvider tokenProvider;
  private Duration tokenTimeout = Duration.ofSeconds(10);
  private String agent = "hito-java/" + Client.VERSION;
  private Duration timeout = Duration.ofSeconds(30);
  private Duration connectTimeout = Duration.ofSeconds(10);
  private Duration keepalive = Duration.ofSeconds(10);
  private int connectionsPerAddress = 4;
  private boolean roundRobin;
  private boolean healthCheck;
  private boolean waitForReady = true;
  private boolean waitForConnect;
  private boolean compression;
  private int messageMax = 4 << 20;
  private Hedging hedging;
  private RetryBudget retryBudget = RetryBudget.DEFAULT;
  private final List<Interceptor> interceptors = new ArrayList<>();
  private Supplier<String> traceparent;
  private Executor executor;
  private Consumer<LogRecord> log;

  ClientBuilder(String... addresses) {
    this.addresses =
        Arrays.stream(addresses)
            .flatMap(text -> Arrays.stream(text.split(",")))
            .map(Address::parse)
            .toList();
    if (this.addresses.isEmpty()) {
      throw new IllegalArgumentException("a client needs an address");
    }
  }

  /**
   * PEM file of the authorities that servers' certificates are signed by; the system's where none
   * is given.
   */
  public ClientBuilder caFile(Path file) {
    caFile = file;
    return this;
  }

  /** Mutual TLS: PEM files of the client's certificate with its chain, and of its PKCS #8 key. */
  public ClientBuilder certificate(Path certificateFile, Path keyFile) {
    this.certificateFile = certificateFile;
    this.keyFile = keyFile;
    return this;
  }

  /** Instead of files; host names are verified all the same. */
  public ClientBuilder sslContext(SSLContext context) {
    tls = context;
    return this;
  }

  /** The name in servers' certificates, where it is not the host. */
  public ClientBuilder serverName(String name) {
    serverName = name;
    return this;
  }

  /** The token of all calls that have none of their own. */
  public ClientBuilder token(String token) {
    this.token = token.isEmpty() ? token : Wire.checked("token", token, Wire.TOKEN_MAX);
    return this;
  }

  /**
   * Instead of {@link #token}, where it changes: asked by the first call, before the current token
   * expires, and when a server refuses it.
   */
  public ClientBuilder tokenProvider(TokenProvider provider) {
    tokenProvider = provider;
    return this;
  }

  /** How long the provider may take for a token: 10 s. */
  public ClientBuilder tokenTimeout(Duration timeout) {
    tokenTimeout = timeout;
    return this;
  }

  /** How the client calls itself in the server's log. */
  public ClientBuilder agent(String agent) {
    this.agent = agent;
    return this;
  }

  /** How long a unary call may take, repeats included, unless it says otherwise: 30 s. */
  public ClientBuilder timeout(Duration timeout) {
    this.timeout = timeout;
    return this;
  }

  /** How long {@link #connect} may take: 10 s. */
  public ClientBuilder connectTimeout(Duration timeout) {
    connectTimeout = timeout;
    return this;
  }

  /**
   * After so long a silence a connection on which calls wait is asked for a sign of life, but no
   * more often than the server wants to be: 10 s.
   */
  public ClientBuilder keepalive(Duration silence) {
    keepalive = silence;
    return this;
  }

  /** How many connections to an address there may be; another is made where those have no room. */
  public ClientBuilder connectionsPerAddress(int maximum) {
    connectionsPerAddress = Math.max(1, maximum);
    return this;
  }

  /** Calls go to all addresses in turn; without it to the first that answers. */
  public ClientBuilder roundRobin(boolean isOn) {
    roundRobin = isOn;
    return this;
  }

  /** A server that says that it does not serve gets no new calls while others do. */
  public ClientBuilder healthCheck(boolean isOn) {
    healthCheck = isOn;
    return this;
  }

  /**
   * Calls wait for a server within their time while none can be reached (the default); otherwise
   * they fail with {@link HitoException.Unavailable} when none answers.
   */
  public ClientBuilder waitForReady(boolean isOn) {
    waitForReady = isOn;
    return this;
  }

  /** The same for {@link #connect}, within its time; not the default. */
  public ClientBuilder waitForConnect(boolean isOn) {
    waitForConnect = isOn;
    return this;
  }

  /**
   * Messages of 4 KiB and more go compressed, both ways, where the server reads that: for slow
   * networks.
   */
  public ClientBuilder compression(boolean isOn) {
    compression = isOn;
    return this;
  }

  /** Bytes of a message that is accepted: 16 KiB at least, 4 MiB unless it is set. */
  public ClientBuilder messageMax(int bytes) {
    messageMax = Math.max(Wire.MESSAGE_MIN, bytes);
    return this;
  }

  /** Unary calls that only read are made again beside the first where no reply comes. */
  public ClientBuilder hedging(Hedging hedging) {
    this.hedging = hedging;
    return this;
  }

  /** How many repeats and copies all calls have together. */
  public ClientBuilder retryBudget(RetryBudget budget) {
    retryBudget = budget;
    return this;
  }

  /** Another one around each call; the first is the outermost. */
  public ClientBuilder interceptor(Interceptor interceptor) {
    interceptors.add(interceptor);
    return this;
  }

  /** Gives calls that have none of their own their W3C trace context, on the caller's thread. */
  public ClientBuilder traceparent(Supplier<String> current) {
    traceparent = current;
    return this;
  }

  /** Where futures are completed and subscribers told; threads of the library's own without it. */
  public ClientBuilder executor(Executor executor) {
    this.executor = executor;
    return this;
  }

  /**
   * Is told what happens to the client, on the client's own thread: it must be quick. {@link
   * LogRecord#to} makes one for a {@code System.Logger}. Nobody is told without it.
   */
  public ClientBuilder log(Consumer<LogRecord> function) {
    log = function;
    return this;
  }

  /**
   * Connects; returns when a server has answered.
   *
   * @throws HitoException.Unavailable where none does
   */
  public Client connect() {
    Client client = build();
    try {
      Blocking.join(
          client.channel().loop(),
          client.connected(connectTimeout, waitForConnect),
          () -> client.channel().close());
      return client;
    } catch (RuntimeException error) {
      client.channel().close();
      throw error;
    }
  }

  /** The same without blocking. */
  public CompletableFuture<Client> connectAsync() {
    Client client = build();
    return client
        .connected(connectTimeout, waitForConnect)
        .handleAsync(
            (done, error) -> {
              if (error == null) {
                return CompletableFuture.completedFuture(client);
              }
              client.channel().close();
              return CompletableFuture.<Client>failedFuture(Blocking.unwrapped(error));
            },
            client.channel().settings().executor())
        .thenCompose(result -> result);
  }

  /** A client that connects with its first call. */
  public Client build() {
    if (tokenProvider != null && !token.isEmpty()) {
      throw new IllegalArgumentException("give a token or a provider of tokens, not both");
    }
    Hello own = new Hello();
    own.minorVersion = Wire.MINOR_VERSION;
    own.agent = agent;
    own.token = token;
    own.messageMax = messageMax;
    own.encodings = compression ? new byte[] {Compression.DEFLATE} : new byte[0];
    SSLContext context = context();
    Dial.warmUp(context);
    Executor worker = threads();
    Settings settings =
        new Settings(
            addresses,
            context,
            serverName,
            own,
            tokenProvider,
            tokenTimeout,
            Channel.nanos(timeout),
            Math.max(10_000_000, Channel.nanos(keepalive)),
            connectionsPerAddress,
            roundRobin,
            healthCheck,
            waitForReady,
            hedging,
            retryBudget,
            List.copyOf(interceptors),
            traceparent,
            executor == null ? worker : executor,
            new Log(log));
    return new Client(new Channel(settings, worker));
  }

  private SSLContext context() {
    if (tls != null) {
      if (caFile != null || certificateFile != null) {
        throw new IllegalArgumentException("give files or a context, not both");
      }
      return tls;
    }
    try {
      return Pem.context(caFile, certificateFile, keyFile);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** Threads that come as they are needed and go when they are not. */
  private static Executor threads() {
    AtomicInteger number = new AtomicInteger();
    ThreadFactory daemons =
        task -> {
          Thread thread = new Thread(task, "hito-work-" + number.incrementAndGet());
          thread.setDaemon(true);
          return thread;
        };
    return new ThreadPoolExecutor(
        0, Integer.MAX_VALUE, 5, TimeUnit.SECONDS, new SynchronousQueue<>(), daemons);
  }
}
