package hito;

import java.util.concurrent.CompletableFuture;

/** Where the responses of a stream come from, one after the other. */
interface Source<T> {
  /** The next one; null at the end of a stream that ended well. One at a time, from any thread. */
  CompletableFuture<T> next();

  /** Has the task run when the stream has ended and nothing is left to be read. */
  void whenDrained(Runnable task);

  /** Ends it, from any thread. */
  void cancel(HitoException why);
}
