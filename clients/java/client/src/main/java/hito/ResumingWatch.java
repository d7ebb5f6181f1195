package hito;

import hito.v1.Progress.WatchResponse;

/**
 * A watch that reconnects and continues after what it gave.
 *
 * <p>It ends by {@link #close}, or by an error that trying again would not mend: a revoked token, a
 * bad filter, a log that lost events which were given ({@link HitoException.OutOfRange} with the
 * reason {@code ERROR_REASON_LOG_FORKED}, after which {@link #cursor} is the last place that
 * holds). A watch that starts live begins with its first response, the CAUGHT_UP mark.
 */
public final class ResumingWatch extends ResumingStream<WatchResponse> {
  private String cursor;

  ResumingWatch(EventLoop loop, ResumingSource<WatchResponse> source, String cursor) {
    super(loop, source);
    this.cursor = cursor;
  }

  /** Where it stands; keep it to continue in another process ({@code after_cursor}). */
  public String cursor() {
    return cursor;
  }

  @Override
  public boolean hasNext() {
    try {
      return super.hasNext();
    } catch (HitoException error) {
      if (!error.resumeCursor().isEmpty()) {
        cursor = error.resumeCursor();
      }
      throw error;
    }
  }

  @Override
  public WatchResponse next() {
    WatchResponse response = super.next();
    if (!response.getCursor().isEmpty()) {
      cursor = response.getCursor();
    }
    return response;
  }
}
