package hito;

/**
 * The answers of one call.
 *
 * <pre>{@code
 * try (ResponseStream<WatchResponse> stream = client.progress().watch(request)) {
 *   for (WatchResponse step : stream) { ... }
 * }
 * }</pre>
 *
 * @param <R> the answers
 */
public sealed class ResponseStream<R> extends Answers<R> permits BidiStream {
  final StreamCall call;

  ResponseStream(EventLoop loop, StreamCall call, Source<R> source) {
    super(loop, source);
    this.call = call;
  }

  /** What the server said before its first answer; empty until that is there. */
  public Metadata metadata() {
    return call.metadata();
  }

  /** What it said with the end of the call; empty until then. */
  public Metadata trailers() {
    return call.trailers();
  }
}
