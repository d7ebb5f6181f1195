package hito;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Answers as a thread reads them, one after the other. Nothing more is read from the server than
 * what fits the window, until the thread asks.
 *
 * <p>For one reader; {@link #close} may be called by any thread.
 *
 * @param <R> the answers
 */
public abstract sealed class Answers<R> implements Iterable<R>, Iterator<R>, AutoCloseable
    permits ResponseStream, ResumingStream, GroupConsumer {
  final EventLoop loop;
  private final Source<R> source;
  private R fetched;
  private boolean isEnded;

  Answers(EventLoop loop, Source<R> source) {
    this.loop = loop;
    this.source = source;
  }

  /** Itself: the answers come once. */
  @Override
  public Iterator<R> iterator() {
    return this;
  }

  /** Waits for the next answer, or the end. */
  @Override
  public boolean hasNext() {
    if (fetched == null && !isEnded) {
      CompletableFuture<R> next = source.next();
      try {
        fetched = Blocking.join(loop, next, this::close);
      } finally {
        isEnded = fetched == null;
      }
    }
    return fetched != null;
  }

  @Override
  public R next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the stream has ended");
    }
    R next = fetched;
    fetched = null;
    return next;
  }

  /** The answers as a stream; closing it closes this. */
  public Stream<R> stream() {
    Spliterator<R> answers = Spliterators.spliteratorUnknownSize(this, Spliterator.ORDERED);
    return StreamSupport.stream(answers, false).onClose(this::close);
  }

  /** Ends it: a call that runs is cancelled. */
  @Override
  public void close() {
    source.cancel(HitoException.cancelled("the stream was closed"));
  }
}
