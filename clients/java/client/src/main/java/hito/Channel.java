package hito;

import com.google.protobuf.MessageLite;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.function.Supplier;

/** Makes calls: what the generated stubs stand on. For any thread. */
public final class Channel {
  private static final Duration LONG = Duration.ofDays(36500);

  private final Settings settings;
  private final Executor worker;
  private final EventLoop loop;
  private final Pool pool;
  private final Retry.Pacer pacer;
  // Null where there is no provider of them.
  private final Tokens tokens;

  Channel(Settings settings, Executor worker) {
    this.settings = settings;
    this.worker = worker;
    loop = new EventLoop();
    pool = new Pool(loop, settings, worker);
    pacer = new Retry.Pacer(settings.retryBudget());
    TokenProvider provider = settings.tokenProvider();
    tokens =
        provider == null
            ? null
            : new Tokens(loop, provider, settings.tokenTimeout(), worker, settings.log());
  }

  // What calls need

  Settings settings() {
    return settings;
  }

  Pool pool() {
    return pool;
  }

  EventLoop loop() {
    return loop;
  }

  Retry.Pacer pacer() {
    return pacer;
  }

  boolean waits(CallOptions options) {
    return options.waitForReady() == null ? settings.waitForReady() : options.waitForReady();
  }

  static long nanos(Duration duration) {
    return duration.compareTo(LONG) > 0 ? LONG.toNanos() : Math.max(0, duration.toNanos());
  }

  CallHeader header(
      Method<?, ?> method, CallOptions options, long timeoutNanos, String key, String token) {
    String trace = options.traceparent();
    return new CallHeader(method.path(), timeoutNanos, key, trace, token, options.metadata());
  }

  /** What gives a call its tokens. */
  CallToken token(CallOptions options) {
    return new CallToken(tokens, options.token());
  }

  // One request, one response

  /** One request, one answer; repeated while the server is unavailable, within its time. */
  public <Q extends MessageLite, R extends MessageLite> R unary(
      Method<Q, R> method, Q request, CallOptions options) {
    Cancellation cancellation = new Cancellation();
    if (settings.interceptors().isEmpty()) {
      CompletableFuture<byte[]> reply = begun(method, request, options, cancellation);
      return DecodedSource.decode(method, Blocking.join(loop, reply, cancellation::cancel));
    }
    // Not the caller's executor, all threads of which may be in calls that block.
    CompletableFuture<R> reply = intercepted(method, request, options, cancellation, worker);
    return Blocking.join(loop, reply, cancellation::cancel);
  }

  /** The same; cancelling what it gives cancels the call. */
  public <Q extends MessageLite, R extends MessageLite> CompletableFuture<R> unaryAsync(
      Method<Q, R> method, Q request, CallOptions options) {
    Cancellation cancellation = new Cancellation();
    Executor executor = settings.executor();
    return cancellable(
        intercepted(method, request, options, cancellation, executor), cancellation);
  }

  private <Q extends MessageLite, R extends MessageLite> CompletableFuture<R> intercepted(
      Method<Q, R> method,
      Q request,
      CallOptions options,
      Cancellation cancellation,
      Executor executor) {
    return intercepted(
        0,
        method,
        options,
        chosen ->
            begun(method, request, chosen, cancellation)
                .thenApplyAsync(reply -> DecodedSource.decode(method, reply), executor));
  }

  private <Q extends MessageLite> CompletableFuture<byte[]> begun(
      Method<Q, ?> method, Q request, CallOptions options, Cancellation cancellation) {
    CallOptions chosen = traced(options);
    Hedging hedging = hedging(method, chosen);
    UnaryCall call = new UnaryCall(this, method, chosen, request.toByteArray(), hedging);
    cancellation.onCancel(call::cancel);
    return call.start();
  }

  private Hedging hedging(Method<?, ?> method, CallOptions options) {
    Hedging hedging = options.hedging();
    if (hedging == null && method.readOnly()) {
      hedging = settings.hedging();
    }
    if (hedging == null || hedging.copies() <= 1) {
      return null;
    }
    if (!method.readOnly() && options.idempotencyKey() == null) {
      throw new IllegalArgumentException(
          "a call that writes is hedged only under an idempotency key of its caller's");
    }
    return hedging;
  }

  private CallOptions traced(CallOptions options) {
    if (options.traceparent() != null || settings.traceparent() == null) {
      return options;
    }
    String trace = settings.traceparent().get();
    return trace == null ? options : options.withTraceparent(trace);
  }

  /** What is completed on the caller's executor, so that nothing of theirs holds up the loop. */
  private <T> CompletableFuture<T> cancellable(
      CompletableFuture<T> inner, Cancellation cancellation) {
    CompletableFuture<T> outer = new CompletableFuture<>();
    inner.whenCompleteAsync(
        (reply, error) -> {
          if (error == null) {
            outer.complete(reply);
          } else {
            outer.completeExceptionally(Blocking.unwrapped(error));
          }
        },
        settings.executor());
    outer.whenComplete(
        (reply, error) -> {
          if (outer.isCancelled()) {
            cancellation.cancel();
          }
        });
    return outer;
  }

  private <T> CompletableFuture<T> intercepted(
      int index, Method<?, ?> method, CallOptions options, Interceptor.Proceed<T> last) {
    if (index == settings.interceptors().size()) {
      return last.proceed(options);
    }
    Interceptor interceptor = settings.interceptors().get(index);
    return interceptor.intercept(
        method, options, chosen -> intercepted(index + 1, method, chosen, last));
  }

  // Streams

  /** One request, many answers. A call that writes is not repeated by itself (W14.1). */
  public <Q extends MessageLite, R extends MessageLite> ResponseStream<R> serverStream(
      Method<Q, R> method, Q request, CallOptions options) {
    StreamCall call = new StreamCall(this, method, request.toByteArray());
    ResponseStream<R> stream = new ResponseStream<>(loop, call, source(method, call));
    begin(call, method, options, stream);
    return stream;
  }

  /** A call for what is resumed, one attempt. */
  <Q extends MessageLite, R extends MessageLite> DecodedSource<R> attempt(
      Method<Q, R> method, Q request, CallOptions options) {
    StreamCall call = new StreamCall(this, method, request.toByteArray());
    begin(call, method, options, call);
    return source(method, call);
  }

  /** A call of many requests for what is resumed, one attempt. */
  StreamCall attempt(Method<?, ?> method, CallOptions options) {
    StreamCall call = new StreamCall(this, method, null);
    begin(call, method, options, call);
    return call;
  }

  <R> Flow.Publisher<R> publisher(Supplier<Source<R>> open) {
    return new StreamPublisher<>(settings.executor(), publisher -> open.get());
  }

  /** The same; each subscriber makes a call of its own. */
  public <Q extends MessageLite, R extends MessageLite> Flow.Publisher<R> serverStreamAsync(
      Method<Q, R> method, Q request, CallOptions options) {
    byte[] message = request.toByteArray();
    return new StreamPublisher<>(
        settings.executor(),
        publisher -> {
          StreamCall call = new StreamCall(this, method, message);
          begin(call, method, options, publisher);
          return source(method, call);
        });
  }

  /** Many requests, one answer. Not repeated: the requests are read once. */
  public <Q extends MessageLite, R extends MessageLite> R clientStream(
      Method<Q, R> method, Iterable<Q> requests, CallOptions options) {
    StreamCall call = new StreamCall(this, method, null);
    begin(call, method, options, call);
    Runnable giveUp = () -> call.cancel(HitoException.cancelled("the thread was interrupted"));
    Blocking.join(loop, call.opened(), giveUp);
    try {
      Iterator<Q> iterator = requests.iterator();
      while (!call.isEnded() && iterator.hasNext()) {
        Blocking.join(loop, call.send(iterator.next().toByteArray()), giveUp);
      }
    } catch (RuntimeException | Error failure) {
      call.fail(failure);
      throw failure;
    }
    call.halfClose();
    return Blocking.join(loop, onlyReply(source(method, call)), giveUp);
  }

  /** The same; cancelling what it gives cancels the call. */
  public <Q extends MessageLite, R extends MessageLite> CompletableFuture<R> clientStreamAsync(
      Method<Q, R> method, Flow.Publisher<Q> requests, CallOptions options) {
    StreamCall call = new StreamCall(this, method, null);
    Cancellation cancellation = new Cancellation();
    cancellation.onCancel(
        () -> call.cancel(HitoException.cancelled("the call was cancelled")));
    CompletableFuture<R> reply =
        intercepted(
            0,
            method,
            options,
            chosen -> {
              call.start(traced(chosen));
              call.opened().thenRunAsync(() -> send(requests, call), settings.executor());
              return onlyReply(source(method, call))
                  .thenApplyAsync(message -> message, settings.executor());
            });
    return cancellable(reply, cancellation);
  }

  /** Requests and answers, each at their own pace. */
  public <Q extends MessageLite, R extends MessageLite> BidiStream<Q, R> bidiStream(
      Method<Q, R> method, CallOptions options) {
    StreamCall call = new StreamCall(this, method, null);
    BidiStream<Q, R> stream = new BidiStream<>(loop, call, source(method, call));
    begin(call, method, options, stream);
    return stream;
  }

  /** The same; each subscriber makes a call of its own, which subscribes to the requests. */
  public <Q extends MessageLite, R extends MessageLite> Flow.Publisher<R> bidiStreamAsync(
      Method<Q, R> method, Flow.Publisher<Q> requests, CallOptions options) {
    return new StreamPublisher<>(
        settings.executor(),
        publisher -> {
          StreamCall call = new StreamCall(this, method, null);
          begin(call, method, options, publisher);
          call.opened().thenRunAsync(() -> send(requests, call), settings.executor());
          return source(method, call);
        });
  }

  private static <Q extends MessageLite> void send(Flow.Publisher<Q> requests, StreamCall call) {
    if (!call.isEnded()) {
      requests.subscribe(new RequestSubscriber<>(call));
    }
  }

  private <T> CompletableFuture<T> begin(
      StreamCall call, Method<?, ?> method, CallOptions options, T open) {
    CompletableFuture<T> chain;
    try {
      chain =
          intercepted(
              0,
              method,
              options,
              chosen ->
                  call.start(traced(chosen))
                      .thenApplyAsync(opened -> open, settings.executor()));
    } catch (RuntimeException error) {
      call.fail(error);
      throw error;
    }
    return chain.whenComplete(
        (opened, error) -> {
          if (error != null) {
            call.fail(Blocking.unwrapped(error));
          } else if (!call.isStarted()) {
            call.fail(HitoException.cancelled("an interceptor did not make the call"));
          }
        });
  }

  private <R> CompletableFuture<R> onlyReply(Source<R> source) {
    return source
        .next()
        .thenCompose(
            reply -> reply == null ? notOne(source) : source.next().thenCompose(
                another -> another == null
                    ? CompletableFuture.completedFuture(reply) : notOne(source)));
  }

  private static <R> CompletableFuture<R> notOne(Source<R> source) {
    HitoException error =
        HitoException.internal("the server did not answer with exactly one message");
    source.cancel(error);
    return CompletableFuture.failedFuture(error);
  }

  private static <R extends MessageLite> DecodedSource<R> source(
      Method<?, R> method, StreamCall call) {
    return new DecodedSource<>(method, call);
  }

  // Of the client

  /** Opens the first connection, so that mistakes show at once. */
  CompletableFuture<Void> connect(Duration timeout, boolean waits) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          Runnable giveUp =
              pool.connection(
                  waits,
                  new Pool.Waiter() {
                    @Override
                    public void connected(Connection connection) {
                      pool.release(connection);
                      result.complete(null);
                    }

                    @Override
                    public void failed(HitoException error) {
                      result.completeExceptionally(error);
                    }
                  });
          EventLoop.Timer timer =
              loop.after(
                  nanos(timeout),
                  () -> {
                    giveUp.run();
                    result.completeExceptionally(
                        HitoException.unreachable("no server answered in time"));
                  });
          result.whenComplete((done, error) -> loop.execute(() -> loop.cancel(timer)));
        });
    return result;
  }

  /**
   * Waits before a stream of a method is taken up again after an error: within the bound for the
   * repeats of all calls, and no longer than the client is open. On the loop; what is given back
   * ends the wait.
   */
  Runnable rest(String path, HitoException error, long nanos, Runnable task) {
    long delay = nanos + pacer.delay(loop.now());
    settings.log().watchResumed(path, error, delay);
    return pool.rest(delay, task);
  }

  /** Ends all calls and connections; done when they are gone. */
  CompletableFuture<Void> close() {
    CompletableFuture<Void> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          if (tokens != null) {
            tokens.close();
          }
          pool.close(
              () -> {
                result.complete(null);
                loop.stop();
              });
        });
    return result;
  }
}
