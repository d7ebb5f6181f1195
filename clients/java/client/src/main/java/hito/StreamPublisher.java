package hito;

import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.function.Function;

/**
 * Answers as they are asked for: each subscriber has a call of its own, and what it does not ask
 * for is not read from the server beyond the window.
 */
final class StreamPublisher<R> implements Flow.Publisher<R> {
  private final Executor executor;
  private final Function<Flow.Publisher<R>, Source<R>> open;

  StreamPublisher(Executor executor, Function<Flow.Publisher<R>, Source<R>> open) {
    this.executor = executor;
    this.open = open;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super R> subscriber) {
    Demand<R> demand = new Demand<>(subscriber, executor);
    try {
      demand.source = open.apply(this);
    } catch (RuntimeException error) {
      subscriber.onSubscribe(demand);
      demand.end(error);
      return;
    }
    subscriber.onSubscribe(demand);
    demand.source.whenDrained(() -> executor.execute(demand::drained));
  }

  /** One subscription. */
  private static final class Demand<R> implements Flow.Subscription {
    private final Flow.Subscriber<? super R> subscriber;
    private final Executor executor;
    private volatile Source<R> source;
    // Below guarded by this; the subscriber is told outside, by one thread at a time.
    private long wanted;
    private boolean isReading;
    private boolean isEnded;
    private boolean isDrained;

    Demand(Flow.Subscriber<? super R> subscriber, Executor executor) {
      this.subscriber = subscriber;
      this.executor = executor;
    }

    @Override
    public void request(long count) {
      if (count <= 0) {
        cancelSource("asked for " + count + " answers");
        executor.execute(
            () -> end(new IllegalArgumentException("asked for " + count + " answers")));
        return;
      }
      synchronized (this) {
        wanted = wanted + count < 0 ? Long.MAX_VALUE : wanted + count;
      }
      read();
    }

    @Override
    public void cancel() {
      synchronized (this) {
        isEnded = true;
      }
      cancelSource("the subscription was cancelled");
    }

    private void cancelSource(String why) {
      Source<R> current = source;
      if (current != null) {
        current.cancel(HitoException.cancelled(why));
      }
    }

    /** The stream has ended: its end needs no demand. */
    private void drained() {
      synchronized (this) {
        isDrained = true;
      }
      read();
    }

    private void read() {
      synchronized (this) {
        if (isReading || isEnded || wanted == 0 && !isDrained) {
          return;
        }
        isReading = true;
      }
      source.next().whenCompleteAsync(this::received, executor);
    }

    private void received(R answer, Throwable error) {
      if (error != null || answer == null) {
        end(error);
        return;
      }
      boolean isWanted;
      synchronized (this) {
        isWanted = !isEnded;
        wanted -= wanted == Long.MAX_VALUE ? 0 : 1;
      }
      if (isWanted) {
        try {
          subscriber.onNext(answer);
        } catch (RuntimeException | Error failure) {
          cancel();
          throw failure;
        }
      }
      synchronized (this) {
        isReading = false;
      }
      read();
    }

    private void end(Throwable error) {
      synchronized (this) {
        if (isEnded) {
          return;
        }
        isEnded = true;
      }
      if (error == null) {
        subscriber.onComplete();
      } else {
        subscriber.onError(Blocking.unwrapped(error));
      }
    }
  }
}
