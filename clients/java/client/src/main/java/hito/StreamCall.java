package hito;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * A call whose responses, requests or both are a stream: opened again where that does no harm
 * (C2.1), read one response at a time. What is public to the package is for any thread; the rest is
 * of the loop.
 */
final class StreamCall implements Source<byte[]> {
  private final Channel channel;
  private final Pool pool;
  private final EventLoop loop;
  private final Method<?, ?> method;
  // Null where requests are a stream.
  private final byte[] request;
  private CallOptions options = CallOptions.DEFAULT;
  private final CompletableFuture<Void> opened = new CompletableFuture<>();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private volatile Call call;
  private volatile boolean isStarted;
  private volatile boolean isEnded;
  private volatile boolean isTokenRefused;
  // Whether the server perhaps began an attempt that has ended.
  private boolean wasStarted;
  private Throwable error;
  private Long deadline;
  private Retry.Repeats repeats;
  private Runnable wait = () -> {};
  private CallToken token;
  private CallLog log = CallLog.SILENT;
  private EventLoop.Timer deadlineTimer;
  private CompletableFuture<byte[]> reader;
  private boolean isReading;
  private boolean isBegun;
  private Runnable onDrained;

  StreamCall(Channel channel, Method<?, ?> method, byte[] request) {
    this.channel = channel;
    this.pool = channel.pool();
    this.loop = pool.loop;
    this.method = method;
    this.request = request;
  }

  /** Begins it; done when the call is open. */
  CompletableFuture<Void> start(CallOptions options) {
    isStarted = true;
    loop.execute(
        () -> {
          if (isEnded) {
            return;
          }
          this.options = options;
          token = channel.token(options);
          log = channel.settings().log().call(method);
          log.begun();
          if (options.timeout() != null) {
            deadline = loop.now() + Channel.nanos(options.timeout());
            deadlineTimer = loop.at(deadline, this::tooLate);
          }
          long repeatTime = channel.waits(options) ? -1 : channel.settings().timeoutNanos();
          repeats = new Retry.Repeats(channel.pacer(), deadline, repeatTime);
          open();
        });
    return opened;
  }

  /** What the server said before its first answer; empty until that is there. */
  Metadata metadata() {
    Call current = call;
    return current == null ? Metadata.EMPTY : current.metadata();
  }

  /** What it said with the end of the call; empty until then. */
  Metadata trailers() {
    Call current = call;
    return current == null ? Metadata.EMPTY : current.trailers();
  }

  /** Where the caller's code is run. */
  Executor channelExecutor() {
    return channel.settings().executor();
  }

  /** Has the task run when the call has ended. */
  void onEnd(Runnable task) {
    ended.thenRunAsync(task, channelExecutor());
  }

  boolean isStarted() {
    return isStarted;
  }

  boolean isEnded() {
    Call current = call;
    return isEnded || current != null && current.isDone();
  }

  /** Whether it ended because a server refused a token that the client can replace. */
  boolean isTokenRefused() {
    return isTokenRefused;
  }

  @Override
  public CompletableFuture<byte[]> next() {
    CompletableFuture<byte[]> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          reader = result;
          read();
        });
    return result;
  }

  /**
   * Sends a request; done when it is handed over. Where the call has ended that is at once, and
   * reading says why it did.
   */
  CompletableFuture<Void> send(byte[] message) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          if (isEnded || call == null) {
            result.complete(null);
            return;
          }
          try {
            call.send(message).whenComplete((done, failure) -> result.complete(null));
          } catch (HitoException failure) {
            end(failure, failure);
            result.complete(null);
          }
        });
    return result;
  }

  void halfClose() {
    loop.execute(
        () -> {
          if (!isEnded && call != null) {
            call.halfClose();
          }
        });
  }

  @Override
  public void cancel(HitoException why) {
    loop.execute(() -> end(why, why));
  }

  /** As {@link #cancel}, with a failure that need not be one of ours. */
  void fail(Throwable why) {
    HitoException told =
        why instanceof HitoException known ? known : HitoException.cancelled("the call failed");
    loop.execute(() -> end(why, told));
  }

  @Override
  public void whenDrained(Runnable task) {
    loop.execute(
        () -> {
          onDrained = task;
          if (isEnded) {
            drained();
          } else if (call != null && !mayRepeat()) {
            call.whenDrained(this::drained);
          }
        });
  }

  private boolean mayRepeat() {
    // Requests that are a stream are read once.
    return !isBegun && (request != null || !opened.isDone());
  }

  private void drained() {
    Runnable task = onDrained;
    onDrained = null;
    if (task != null) {
      task.run();
    }
  }

  // Opening

  private void open() {
    Runnable giveUp =
        token.next(
            new Tokens.Waiter() {
              @Override
              public void given(String text) {
                connect(text);
              }

              @Override
              public void failed(HitoException error) {
                end(error, error);
              }
            });
    if (giveUp != null) {
      wait = giveUp;
    }
  }

  private void connect(String token) {
    wait =
        pool.connection(
            channel.waits(options),
            new Pool.Waiter() {
              @Override
              public void connected(Connection connection) {
                if (isEnded) {
                  pool.release(connection);
                } else {
                  open(connection, token);
                }
              }

              @Override
              public void failed(HitoException error) {
                end(error, error);
              }
            });
  }

  private void open(Connection connection, String token) {
    long left =
        deadline == null ? CallHeader.NO_TIMEOUT : Math.max(0, deadline - loop.now());
    // Without one a call is not repeated after it began (C2.1).
    String key = method.kind() == Method.Kind.BIDI ? null : options.idempotencyKey();
    CallHeader header = channel.header(method, options, left, key, token);
    try {
      call = connection.open(header, request, request != null);
    } catch (HitoException.Unavailable error) {
      repeat(error);
      return;
    } catch (HitoException | IllegalArgumentException error) {
      end(error, null);
      return;
    }
    opened.complete(null);
    if (onDrained != null && !mayRepeat()) {
      call.whenDrained(this::drained);
    }
    read();
  }

  // Reading

  private void read() {
    if (reader == null || isReading) {
      return;
    }
    if (isEnded) {
      CompletableFuture<byte[]> waiting = reader;
      reader = null;
      if (error == null) {
        waiting.complete(null);
      } else {
        waiting.completeExceptionally(error);
      }
      return;
    }
    if (call != null) {
      isReading = true;
      call.receive().whenComplete(this::received);
    }
  }

  private void received(byte[] message, Throwable failure) {
    isReading = false;
    if (isEnded) {
      read();
    } else if (message != null) {
      isBegun = true;
      token.answered();
      tell();
      CompletableFuture<byte[]> waiting = reader;
      reader = null;
      waiting.complete(message);
    } else if (failure == null) {
      token.answered();
      end(null, null);
    } else {
      failed(failure);
    }
  }

  private void failed(Throwable failure) {
    boolean isRenewed = token.failed(failure) && mayRepeat();
    if (isRenewed && failure instanceof HitoException refusal) {
      // At once, and none of the repeats that are counted (C5.8).
      again(refusal);
      log.repeated(refusal, 0);
      open();
    } else if (failure instanceof HitoException.Unavailable unavailable) {
      repeat(unavailable);
    } else {
      isTokenRefused = token.isRefusal(failure);
      end(failure, null);
    }
  }

  private void again(HitoException failure) {
    wasStarted = wasStarted || !failure.notStarted();
    call = null;
  }

  private void tell() {
    if (options.responseInfo() != null) {
      options.responseInfo().tell(call);
    }
  }

  /** Waits before another attempt, or ends where there should be none. */
  private void repeat(HitoException.Unavailable failure) {
    boolean mayRepeat = mayRepeat() && (isRepeatable() || failure.notStarted());
    long delay = repeats.delay(failure, mayRepeat, loop.now());
    if (delay == Retry.Repeats.NEVER) {
      end(failure, null);
      return;
    }
    again(failure);
    log.repeated(failure, delay);
    wait = pool.rest(delay, this::open);
  }

  /** Also where it perhaps began. */
  private boolean isRepeatable() {
    return request != null && method.readOnly();
  }

  private void tooLate() {
    boolean isOpen = opened.isDone();
    HitoException late =
        HitoException.of(
            StatusCode.DEADLINE_EXCEEDED,
            isOpen ? "the stream did not end in time" : "the stream did not begin in time",
            isOpen ? HitoException.Said.NOTHING : HitoException.Said.NOT_STARTED);
    end(late, late);
  }

  /** {@code cancelled}: what a call that runs is cancelled with. */
  private void end(Throwable why, HitoException cancelled) {
    if (isEnded) {
      return;
    }
    isEnded = true;
    // The last attempt may know of itself only.
    boolean isUnsure = wasStarted && why instanceof HitoException known && known.notStarted();
    error = isUnsure ? ((HitoException) why).perhapsStarted() : why;
    log.ended(error);
    wait.run();
    loop.cancel(deadlineTimer);
    if (call != null) {
      call.cancel(cancelled);
      tell();
    }
    if (error == null) {
      opened.complete(null);
    } else {
      opened.completeExceptionally(error);
    }
    ended.complete(null);
    isReading = false;
    read();
    drained();
  }

  /** When the call is open, or has ended. */
  CompletableFuture<Void> opened() {
    return opened.handle((done, failure) -> null);
  }
}
