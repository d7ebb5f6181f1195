package hito;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Waits of a caller's thread. */
final class Blocking {
  private Blocking() {}

  /**
   * What comes of it. Where the thread is interrupted {@code giveUp} is run, and the thread stays
   * interrupted.
   */
  static <T> T join(EventLoop loop, CompletableFuture<T> future, Runnable giveUp) {
    if (loop.isCurrent() && !future.isDone()) {
      throw new IllegalStateException("a call that blocks was made on the client's own thread");
    }
    try {
      return future.get();
    } catch (InterruptedException interrupted) {
      giveUp.run();
      Thread.currentThread().interrupt();
      throw HitoException.cancelled("the thread was interrupted");
    } catch (ExecutionException | CancellationException error) {
      throw thrown(error);
    }
  }

  /** What an error is to be thrown as. */
  private static RuntimeException thrown(Throwable error) {
    Throwable cause = unwrapped(error);
    if (cause instanceof HitoException known) {
      return known.atCaller();
    }
    if (cause instanceof Error fatal) {
      throw fatal;
    }
    if (cause instanceof RuntimeException runtime) {
      return runtime;
    }
    return new CompletionException(cause);
  }

  static Throwable unwrapped(Throwable error) {
    Throwable cause = error;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
