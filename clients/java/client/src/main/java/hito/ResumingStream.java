package hito;

import com.google.protobuf.MessageLite;

/**
 * A stream that is taken up again by itself when its connection or its server is gone: nothing is
 * given twice, and nothing is lost. It ends by {@link #close}, or by an error that trying again
 * would not mend.
 *
 * @param <R> the answers
 */
public sealed class ResumingStream<R extends MessageLite> extends Answers<R> permits ResumingWatch {
  private final ResumingSource<R> source;

  ResumingStream(EventLoop loop, ResumingSource<R> source) {
    super(loop, source);
    this.source = source;
  }

  /** How often the stream broke and was taken up again. */
  public int interruptions() {
    return source.interruptions();
  }
}
