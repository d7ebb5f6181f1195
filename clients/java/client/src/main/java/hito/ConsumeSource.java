package hito;

import com.google.protobuf.InvalidProtocolBufferException;
import hito.v1.Errors.ErrorReason;
import hito.v1.EventServiceClient;
import hito.v1.Events.ConsumeRequest;
import hito.v1.Events.ConsumeResponse;
import hito.v1.Events.JoinGroup;
import java.util.ArrayDeque;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** The deliveries of a consumer that joins again when its stream breaks. Of the loop. */
final class ConsumeSource implements Source<Delivery> {
  private static final long CLOSE_NANOS = 5_000_000_000L;
  private static final long USUAL_ACK_NANOS = 30_000_000_000L;

  private final Channel channel;
  private final EventLoop loop;
  private final ConsumeOptions options;
  private final Retry.Backoff backoff = new Retry.Backoff();
  private final ArrayDeque<Delivery> arrived = new ArrayDeque<>();
  private JoinGroup join;
  private ConsumeSession session;
  private long ackNanos = USUAL_ACK_NANOS;
  private CompletableFuture<Delivery> reader;
  private Runnable wait = () -> {};
  private Runnable onDrained;
  private boolean isBegun;
  private boolean wasRenewed;
  private boolean isEnded;
  private Throwable failure;
  private volatile int interruptions;
  private volatile String name;

  ConsumeSource(Channel channel, JoinGroup join, ConsumeOptions options) {
    this.channel = channel;
    this.loop = channel.loop();
    this.options = options;
    String instance = UUID.randomUUID().toString().replace("-", "");
    this.join = join.toBuilder().setInstance(instance).build();
    name = join.getConsumer();
  }

  String name() {
    return name;
  }

  int interruptions() {
    return interruptions;
  }

  @Override
  public CompletableFuture<Delivery> next() {
    CompletableFuture<Delivery> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          reader = result;
          if (!isBegun && !isEnded) {
            isBegun = true;
            begin();
          }
          give();
        });
    return result;
  }

  @Override
  public void whenDrained(Runnable task) {
    loop.execute(
        () -> {
          onDrained = task;
          drained();
        });
  }

  @Override
  public void cancel(HitoException why) {
    loop.execute(
        () -> {
          ConsumeSession last = session;
          end(null);
          if (last != null) {
            // The server ends the stream once it has answered everything.
            last.close();
            loop.after(CLOSE_NANOS, () -> last.call().cancel(why));
          }
        });
  }

  private void begin() {
    // Interceptors are around it, which are the caller's.
    channel
        .settings()
        .executor()
        .execute(
            () -> {
              try {
                StreamCall call = channel.attempt(EventServiceClient.CONSUME, options.call());
                call.opened().thenRun(() -> loop.execute(() -> opened(call)));
              } catch (RuntimeException error) {
                loop.execute(() -> end(error));
              }
            });
  }

  private void opened(StreamCall call) {
    if (isEnded) {
      call.cancel(HitoException.cancelled("the consumer was closed"));
      return;
    }
    session = new ConsumeSession(loop, call);
    session.send(ConsumeRequest.newBuilder().setJoin(join).build());
    read(session);
  }

  /** All the time: answers have to be heard while nobody asks for the next event. */
  private void read(ConsumeSession from) {
    from.call()
        .next()
        .whenComplete(
            (message, error) -> {
              if (message == null) {
                broken(from, Blocking.unwrapped(error));
                return;
              }
              try {
                received(from, ConsumeResponse.parseFrom(message));
              } catch (InvalidProtocolBufferException invalid) {
                end(HitoException.internal("the server's answer to Consume is not valid"));
                from.call().cancel(HitoException.cancelled("not valid"));
                return;
              }
              read(from);
            });
  }

  private void received(ConsumeSession from, ConsumeResponse response) {
    backoff.reset();
    wasRenewed = false;
    if (response.hasJoined()) {
      // After a broken connection it comes again under the name that it had.
      name = response.getJoined().getConsumer();
      join = join.toBuilder().setConsumer(name).build();
      ackNanos = response.getJoined().getAckTimeoutUs() * 1000;
    }
    if (response.hasSettled()) {
      from.heard(response.getSettled());
    }
    if (response.hasEvent() && !isEnded) {
      arrived.add(from.take(response, options.autoExtend() ? ackNanos / 3 : 0));
      give();
    }
  }

  private void broken(ConsumeSession from, Throwable error) {
    from.end();
    if (isEnded) {
      return;
    }
    session = null;
    HitoException known =
        error == null
            ? HitoException.unavailable("the server ended the stream")
            : error instanceof HitoException said ? said : null;
    if (known == null || !isMended(known, from.call())) {
      end(error);
      return;
    }
    interruptions++;
    if (options.onInterruption() != null) {
      channel.settings().executor().execute(() -> options.onInterruption().accept(known));
    }
    long delay = backoff.next(known.pushbackNanos());
    wait = channel.rest(EventServiceClient.CONSUME.path(), known, delay, this::begin);
  }

  /** Whether joining again may go better. */
  private boolean isMended(HitoException error, StreamCall call) {
    // Once after a response another token is tried.
    boolean isRenewed = call.isTokenRefused() && !wasRenewed;
    wasRenewed = call.isTokenRefused();
    return ResumingSource.passes(error) || isRenewed || mayJoinLater(error);
  }

  /** The name is still that of this consumer's last connection, or of a process that died. */
  private boolean mayJoinLater(HitoException error) {
    return error instanceof HitoException.AlreadyExists
        && error.reason() == ErrorReason.ERROR_REASON_CONSUMER_NAME_TAKEN
        && interruptions > 0;
  }

  private void end(Throwable error) {
    if (isEnded) {
      return;
    }
    isEnded = true;
    failure = error;
    wait.run();
    give();
    drained();
  }

  private void drained() {
    if (isEnded && onDrained != null) {
      Runnable task = onDrained;
      onDrained = null;
      task.run();
    }
  }

  private void give() {
    if (reader == null) {
      return;
    }
    Delivery next = isEnded ? null : arrived.poll();
    while (next != null && !next.isHeld()) {
      next = arrived.poll();
    }
    if (next == null && !isEnded) {
      return;
    }
    CompletableFuture<Delivery> waiting = reader;
    reader = null;
    if (next == null && failure != null) {
      waiting.completeExceptionally(failure);
    } else {
      waiting.complete(next);
    }
  }
}
