package hito;

import hito.v1.Progress.WatchRequest;
import hito.v1.Progress.WatchResponse;
import hito.v1.ProgressServiceClient;
import java.util.concurrent.Flow;
import java.util.function.Consumer;

/** Live progress; {@link #watchResuming(WatchRequest)} is what programs want. */
public final class ProgressClient extends ProgressServiceClient {
  ProgressClient(Channel channel) {
    super(channel);
  }

  /** Watches for ever: reconnects and continues after the last response by itself. */
  public ResumingWatch watchResuming(WatchRequest request) {
    return watchResuming(request, CallOptions.DEFAULT, null);
  }

  /**
   * Watches for ever: reconnects and continues after the last response by itself.
   *
   * @param options of each attempt
   * @param onInterruption is told why the stream broke, each time; or null
   */
  public ResumingWatch watchResuming(
      WatchRequest request, CallOptions options, Consumer<HitoException> onInterruption) {
    Watch source = new Watch(channel, request, options, onInterruption);
    return new ResumingWatch(channel.loop(), source, request.getAfterCursor());
  }

  /** The same as a publisher; each subscriber has a watch of its own. */
  public Flow.Publisher<WatchResponse> watchResumingAsync(
      WatchRequest request, CallOptions options, Consumer<HitoException> onInterruption) {
    return channel.publisher(() -> new Watch(channel, request, options, onInterruption));
  }

  private static final class Watch extends ResumingSource<WatchResponse> {
    private final CallOptions options;
    private volatile WatchRequest request;

    Watch(
        Channel channel,
        WatchRequest request,
        CallOptions options,
        Consumer<HitoException> onInterruption) {
      super(channel, onInterruption);
      this.request = request;
      this.options = options;
    }

    @Override
    DecodedSource<WatchResponse> open() {
      return channel.attempt(WATCH, request, options);
    }

    @Override
    void received(WatchResponse response) {
      after(response.getCursor());
    }

    @Override
    void refused(HitoException error) {
      // Behind what a filter passed over since the last response, or before what was lost.
      after(error.resumeCursor());
    }

    private void after(String cursor) {
      if (!cursor.isEmpty()) {
        request = request.toBuilder().setAfterCursor(cursor).build();
      }
    }
  }
}
