package hito;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * A unary call: its attempts one after the other (C2.1), and the copies of each that run beside
 * each other (C2.4), within one deadline. Of the loop.
 */
final class UnaryCall {
  /** One copy of an attempt. */
  private static final class Copy {
    Call call;
  }

  private final Channel channel;
  private final Pool pool;
  private final EventLoop loop;
  private final Method<?, ?> method;
  private final CallOptions options;
  private final byte[] message;
  private final String key;
  private final Hedging hedging;
  private final long timeout;
  private final CompletableFuture<byte[]> result = new CompletableFuture<>();
  private final List<Copy> copies = new ArrayList<>(1);
  private final List<Integer> used = new ArrayList<>(1);
  private long deadline;
  private Retry.Repeats repeats;
  private CallToken token;
  private String text;
  private CallLog log = CallLog.SILENT;
  private HitoException failure;
  private boolean isStarted;
  private boolean wasStarted;
  private int made;
  private long nextAt;
  private Runnable wait = () -> {};
  private EventLoop.Timer deadlineTimer;
  private EventLoop.Timer hedgeTimer;
  private boolean isDone;

  UnaryCall(
      Channel channel, Method<?, ?> method, CallOptions options, byte[] message, Hedging hedging) {
    this.channel = channel;
    this.pool = channel.pool();
    this.loop = pool.loop;
    this.method = method;
    this.options = options;
    this.message = message;
    this.hedging = hedging;
    timeout =
        options.timeout() == null
            ? channel.settings().timeoutNanos()
            : Channel.nanos(options.timeout());
    String given = options.idempotencyKey();
    // A key on every write: only that makes repeating it harmless (W14.2).
    key = given != null || method.readOnly() ? given : UUID.randomUUID().toString();
  }

  /** Begins it, from any thread. */
  CompletableFuture<byte[]> start() {
    deadline = loop.now() + timeout;
    repeats = new Retry.Repeats(channel.pacer(), deadline, -1);
    loop.execute(
        () -> {
          if (!isDone) {
            deadlineTimer = loop.at(deadline, this::tooLate);
            token = channel.token(options);
            log = channel.settings().log().call(method);
            log.begun();
            attempt();
          }
        });
    return result;
  }

  /** Gives it up, from any thread. */
  void cancel() {
    loop.execute(() -> finish(null, HitoException.cancelled("the call was cancelled")));
  }

  private void attempt() {
    Runnable giveUp =
        token.next(
            new Tokens.Waiter() {
              @Override
              public void given(String given) {
                // Of all copies of the attempt.
                text = given;
                connect();
              }

              @Override
              public void failed(HitoException error) {
                finish(null, error);
              }
            });
    if (giveUp != null) {
      wait = giveUp;
    }
  }

  private void connect() {
    wait =
        pool.connection(
            channel.waits(options),
            new Pool.Waiter() {
              @Override
              public void connected(Connection connection) {
                if (isDone) {
                  pool.release(connection);
                  return;
                }
                begin(connection);
              }

              @Override
              public void failed(HitoException error) {
                finish(null, error);
              }
            });
  }

  private void begin(Connection connection) {
    wasStarted = isStarted;
    isStarted = true;
    made = 0;
    used.clear();
    nextAt = loop.now() + (hedging == null ? 0 : hedging.delay().toNanos());
    launch(connection);
    armHedge();
  }

  private void launch(Connection connection) {
    Copy copy = new Copy();
    copies.add(copy);
    used.add(connection.number);
    made++;
    long left = Math.max(0, deadline - loop.now());
    CallHeader header = channel.header(method, options, left, key, text);
    try {
      copy.call = connection.open(header, message, true);
    } catch (HitoException error) {
      failed(copy, error);
      return;
    } catch (IllegalArgumentException error) {
      copies.remove(copy);
      finish(null, error);
      return;
    }
    copy.call.receive().whenComplete((first, error) -> received(copy, first, error));
  }

  private void received(Copy copy, byte[] first, Throwable error) {
    if (error == null && first != null) {
      copy.call
          .receive()
          .whenComplete(
              (second, failure) -> {
                if (failure == null && second == null) {
                  succeeded(copy, first);
                } else {
                  failed(copy, failure);
                }
              });
    } else {
      failed(copy, error);
    }
  }

  private void succeeded(Copy copy, byte[] reply) {
    if (copies.remove(copy)) {
      tell(copy);
      token.answered();
      finish(reply, null);
    }
  }

  /** {@code error}: null where the server said something else than one message (W7.6). */
  private void failed(Copy copy, Throwable error) {
    if (!copies.remove(copy)) {
      return;
    }
    tell(copy);
    boolean isRenewed = token.failed(error);
    wasStarted = wasStarted || error instanceof HitoException known && !known.notStarted();
    if (error == null) {
      token.answered();
      finish(null, HitoException.internal("the server did not answer with exactly one message"));
    } else if (isRenewed) {
      renew((HitoException) error);
    } else if (!(error instanceof HitoException.Unavailable unavailable)) {
      finish(null, error);
    } else if (copies.isEmpty()) {
      repeat(unavailable);
    } else {
      // A server that asks for time is not asked again before.
      long pushedBack = loop.now() + unavailable.pushbackNanos();
      nextAt = Math.max(nextAt, pushedBack);
      armHedge();
    }
  }

  /** Under another token: at once, and none of the repeats that are counted (C5.8). */
  private void renew(HitoException refusal) {
    loop.cancel(hedgeTimer);
    cancelCopies();
    failure = refusal;
    isStarted = wasStarted;
    log.repeated(refusal, 0);
    attempt();
  }

  private void repeat(HitoException.Unavailable error) {
    loop.cancel(hedgeTimer);
    failure = error;
    isStarted = wasStarted;
    long delay = repeats.delay(error, true, loop.now());
    if (delay == Retry.Repeats.NEVER) {
      finish(null, error);
      return;
    }
    log.repeated(error, delay);
    wait = pool.rest(delay, this::attempt);
  }

  // Hedging

  private void armHedge() {
    loop.cancel(hedgeTimer);
    if (!isDone && hedging != null && made < hedging.copies() && !copies.isEmpty()) {
      hedgeTimer = loop.at(nextAt, this::hedge);
    }
  }

  private void hedge() {
    nextAt = loop.now() + hedging.delay().toNanos();
    Connection beside = pool.connectionBeside(used);
    if (beside != null) {
      if (channel.pacer().takeNow(loop.now())) {
        log.hedged(made + 1);
        launch(beside);
      } else {
        pool.release(beside);
      }
    }
    armHedge();
  }

  // The end

  private void tooLate() {
    HitoException last = failure == null ? pool.failure() : failure;
    String why = last == null ? "" : " (last failure: " + last.text() + ")";
    String text = "no answer within " + timeout / 1_000_000 / 1000.0 + " s" + why;
    HitoException.Said said =
        isStarted ? HitoException.Said.NOTHING : HitoException.Said.NOT_STARTED;
    finish(null, HitoException.of(StatusCode.DEADLINE_EXCEEDED, text, said));
  }

  private void tell(Copy copy) {
    if (options.responseInfo() != null && copy.call != null) {
      options.responseInfo().tell(copy.call);
    }
  }

  private void finish(byte[] reply, Throwable error) {
    if (isDone) {
      return;
    }
    isDone = true;
    List<Copy> left = List.copyOf(copies);
    cancelCopies();
    // The last attempt may know of itself only.
    if (wasStarted && error instanceof HitoException known && known.notStarted()) {
      error = known.perhapsStarted();
    }
    wait.run();
    loop.cancel(deadlineTimer);
    loop.cancel(hedgeTimer);
    if (error != null && hedging == null) {
      left.forEach(this::tell);
    }
    log.ended(error);
    if (error == null) {
      result.complete(reply);
    } else {
      result.completeExceptionally(error);
    }
  }
  /** Those that another was faster than; the server perhaps began them. */
  private void cancelCopies() {
    for (Copy copy : copies) {
      if (copy.call != null) {
        wasStarted = true;
        copy.call.cancel(null);
      }
    }
    copies.clear();
  }
}
