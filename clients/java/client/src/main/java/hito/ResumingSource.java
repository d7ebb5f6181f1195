package hito;

import com.google.protobuf.MessageLite;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Opens its stream again when it breaks (clients/BEHAVIOUR.md, C3). Where to continue is the
 * subclass's to know. Of the loop, apart from what {@link Source} says.
 */
abstract class ResumingSource<R extends MessageLite> implements Source<R> {
  final Channel channel;
  private final EventLoop loop;
  private final Consumer<HitoException> onInterruption;
  private final Retry.Backoff backoff = new Retry.Backoff();
  private DecodedSource<R> current;
  // Whether the current one has given a response.
  private boolean hasGiven;
  private CompletableFuture<R> reader;
  private Runnable wait = () -> {};
  private Runnable onDrained;
  private boolean isOpening;
  private boolean isEnded;
  private Throwable failure;
  private volatile int interruptions;

  ResumingSource(Channel channel, Consumer<HitoException> onInterruption) {
    this.channel = channel;
    this.loop = channel.loop();
    this.onInterruption = onInterruption;
  }

  /** Another attempt, off the loop. */
  abstract DecodedSource<R> open();

  /** Takes note of what is given. */
  abstract void received(R response);

  /** The stream broke with an error. */
  void refused(HitoException error) {}

  int interruptions() {
    return interruptions;
  }

  /** There will be nothing more. */
  final void complete() {
    isEnded = true;
  }

  @Override
  public CompletableFuture<R> next() {
    CompletableFuture<R> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          reader = result;
          step();
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
    loop.execute(() -> end(null, why));
  }

  private void step() {
    if (reader == null) {
      return;
    }
    if (isEnded) {
      answer(null, failure);
    } else if (current != null) {
      current.next().whenComplete(this::arrived);
    } else if (!isOpening) {
      isOpening = true;
      // Interceptors are around it, which are the caller's.
      channel.settings().executor().execute(this::attempt);
    }
  }

  private void attempt() {
    DecodedSource<R> opened;
    try {
      opened = open();
    } catch (RuntimeException error) {
      loop.execute(() -> end(error, null));
      return;
    }
    loop.execute(
        () -> {
          isOpening = false;
          if (isEnded) {
            opened.cancel(HitoException.cancelled("the stream was closed"));
            return;
          }
          current = opened;
          hasGiven = false;
          step();
        });
  }

  private void arrived(R response, Throwable error) {
    if (isEnded) {
      answer(null, failure);
      return;
    }
    if (response != null) {
      backoff.reset();
      hasGiven = true;
      received(response);
      answer(response, null);
      if (isEnded) {
        end(null, HitoException.cancelled("the stream was closed"));
      }
      return;
    }
    Throwable cause = Blocking.unwrapped(error);
    if (cause == null) {
      // A server has no reason to end it; one that does is asked again.
      interrupted(HitoException.unavailable("the server ended the stream"));
    } else if (!(cause instanceof HitoException known)) {
      end(cause, null);
    } else {
      refused(known);
      // One that gave nothing was repeated by itself, under another token.
      if (passes(known) || hasGiven && current.isTokenRefused()) {
        interrupted(known);
      } else {
        end(known, null);
      }
    }
  }

  private void interrupted(HitoException error) {
    String path = current.path();
    current = null;
    interruptions++;
    if (onInterruption != null) {
      channel.settings().executor().execute(() -> onInterruption.accept(error));
    }
    wait = channel.rest(path, error, backoff.next(error.pushbackNanos()), this::step);
  }

  private void end(Throwable error, HitoException cancelled) {
    boolean wasEnded = isEnded;
    isEnded = true;
    if (!wasEnded) {
      failure = error;
    }
    wait.run();
    if (current != null && cancelled != null) {
      current.cancel(cancelled);
    }
    current = null;
    step();
    drained();
  }

  private void drained() {
    if (isEnded && onDrained != null) {
      Runnable task = onDrained;
      onDrained = null;
      task.run();
    }
  }

  private void answer(R response, Throwable error) {
    CompletableFuture<R> waiting = reader;
    reader = null;
    if (waiting == null) {
      return;
    }
    if (error != null) {
      waiting.completeExceptionally(error);
    } else {
      waiting.complete(response);
    }
  }

  /** Whether the same request can succeed later. */
  static boolean passes(HitoException error) {
    if (error instanceof HitoException.Unavailable unavailable) {
      return !unavailable.isLasting();
    }
    return error.fromServer()
        && (error instanceof HitoException.ResourceExhausted
            || error instanceof HitoException.Cancelled
            || error instanceof HitoException.DeadlineExceeded
            || error instanceof HitoException.Aborted);
  }
}
