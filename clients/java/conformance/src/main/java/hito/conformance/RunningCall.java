package hito.conformance;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import hito.Answers;
import hito.BidiStream;
import hito.CallOptions;
import hito.Client;
import hito.HitoException;
import hito.Method;
import hito.ResponseInfo;
import hito.v1.Progress.WatchRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** A call that the runner asked for. */
final class RunningCall {
  private final Request request;
  private final ExecutorService threads;
  private final List<String> messages = Collections.synchronizedList(new ArrayList<>());
  private final ResponseInfo said = new ResponseInfo();
  private final CountDownLatch resumed = new CountDownLatch(1);
  private final AtomicBoolean isDone = new AtomicBoolean();
  private Consumer<Map<String, Object>> told = reply -> {};
  private boolean isCancelled;
  private Runnable giveUp = () -> {};

  RunningCall(Request request, ExecutorService threads) {
    this.request = request;
    this.threads = threads;
  }

  void whenDone(Consumer<Map<String, Object>> told) {
    this.told = told;
  }

  void resume() {
    resumed.countDown();
  }

  void cancel() {
    Runnable task;
    synchronized (this) {
      isCancelled = true;
      task = giveUp;
    }
    task.run();
    done(HitoCancelled.INSTANCE);
  }

  /** Stands for the caller's own cancelling. */
  private static final class HitoCancelled extends RuntimeException {
    private static final long serialVersionUID = 1;
    static final HitoCancelled INSTANCE = new HitoCancelled();
  }

  private void onCancel(Runnable task) {
    boolean isTooLate;
    synchronized (this) {
      giveUp = task;
      isTooLate = isCancelled;
    }
    if (isTooLate) {
      task.run();
    }
  }

  /** {@code error}: null where the call went well. */
  void done(Throwable error) {
    if (!isDone.compareAndSet(false, true)) {
      return;
    }
    Throwable cause = error instanceof CompletionException ? error.getCause() : error;
    Map<String, Object> reply = new LinkedHashMap<>();
    if (cause == null) {
      reply.put("status", 0);
    } else if (cause instanceof HitoException known) {
      reply = Adapter.failure(known);
    } else if (cause instanceof IllegalArgumentException) {
      // What may not be sent is refused as any wrong argument in Java.
      reply.put("status", 3);
      reply.put("text", cause.getMessage());
    } else if (cause instanceof HitoCancelled || cause instanceof CancellationException) {
      reply.put("status", 1);
    } else {
      reply.put("error", cause.toString());
    }
    Adapter.show(said, reply);
    synchronized (messages) {
      reply.put("messages", new ArrayList<Object>(messages));
    }
    told.accept(reply);
  }

  void begin(Client client) {
    try {
      begin(client, request.method());
    } catch (ReflectiveOperationException
        | InvalidProtocolBufferException
        | RuntimeException error) {
      done(error);
    }
  }

  private <Q extends MessageLite, R extends MessageLite> void begin(
      Client client, Method<Q, R> method) throws InvalidProtocolBufferException {
    List<Q> requests = new ArrayList<>();
    for (byte[] message : request.messages()) {
      requests.add(method.requests().parseFrom(message));
    }
    CallOptions options = request.options().withResponseInfo(said);
    if (request.isTrue("resuming", false)) {
      read(client.progress().watchResuming((WatchRequest) requests.get(0)), null);
      return;
    }
    switch (request.text("kind")) {
      case "unary" ->
          one(client.channel().unaryAsync(method, requests.get(0), options));
      case "client_stream" ->
          one(client.channel().clientStreamAsync(method, publisher(requests), options));
      case "bidi" -> bidi(client.channel().bidiStream(method, options), requests);
      default -> read(client.channel().serverStream(method, requests.get(0), options), null);
    }
  }

  private <R extends MessageLite> void one(CompletableFuture<R> reply) {
    onCancel(() -> reply.cancel(true));
    reply.whenComplete(
        (message, error) -> {
          if (message != null) {
            messages.add(hex(message));
          }
          done(error);
        });
  }

  private static String hex(MessageLite message) {
    return HexFormat.of().formatHex(message.toByteArray());
  }

  private <Q> Flow.Publisher<Q> publisher(List<Q> requests) {
    return subscriber ->
        subscriber.onSubscribe(
            new Flow.Subscription() {
              private int next;

              @Override
              public void request(long count) {
                if (next < requests.size()) {
                  subscriber.onNext(requests.get(next++));
                } else if (!RunningCall.this.request.isTrue("keep_open", false)) {
                  subscriber.onComplete();
                }
              }

              @Override
              public void cancel() {
                next = requests.size();
              }
            });
  }

  private <Q extends MessageLite, R extends MessageLite> void bidi(
      BidiStream<Q, R> stream, List<Q> requests) {
    Semaphore turns = request.isTrue("in_turn", false) ? new Semaphore(0) : null;
    threads.execute(
        () -> {
          try {
            send(stream, requests, turns);
          } catch (InterruptedException | HitoException error) {
            // The reading side says it.
          }
        });
    read(stream, turns);
  }

  private <Q extends MessageLite> void send(
      BidiStream<Q, ?> stream, List<Q> requests, Semaphore turns) throws InterruptedException {
    for (int i = 0; i < requests.size(); i++) {
      if (turns != null && i > 0) {
        turns.acquire();
      }
      stream.send(requests.get(i));
    }
    if (turns != null && !requests.isEmpty()) {
      turns.acquire();
    }
    if (!request.isTrue("keep_open", false)) {
      stream.halfClose();
    }
  }

  private <R extends MessageLite> void read(Answers<R> stream, Semaphore turns) {
    onCancel(stream::close);
    threads.execute(
        () -> {
          try (stream) {
            readOn(stream, turns);
            done(null);
          } catch (InterruptedException | RuntimeException error) {
            done(error);
          }
        });
  }

  /**
   * {@code cancel_after}: leaves the stream after so many. {@code pause_after}: reads so many, and
   * no more until {@code resume}.
   */
  private <R extends MessageLite> void readOn(Answers<R> stream, Semaphore turns)
      throws InterruptedException {
    int count = 0;
    while (stream.hasNext()) {
      messages.add(hex(stream.next()));
      count++;
      if (turns != null) {
        turns.release();
      }
      if (count == request.number("cancel_after", -1)) {
        throw HitoCancelled.INSTANCE;
      }
      if (count == request.number("pause_after", -1)) {
        resumed.await();
      }
    }
  }
}
