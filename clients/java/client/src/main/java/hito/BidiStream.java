package hito;

import com.google.protobuf.MessageLite;

/**
 * A call whose requests and answers are streams, each at their own pace: one thread may send while
 * another reads.
 *
 * @param <Q> the requests
 * @param <R> the answers
 */
public final class BidiStream<Q extends MessageLite, R> extends ResponseStream<R> {
  BidiStream(EventLoop loop, StreamCall call, Source<R> source) {
    super(loop, call, source);
  }

  /**
   * Sends a request; waits while the server takes none. Where the call has ended it does nothing:
   * reading says why.
   */
  public void send(Q request) {
    Blocking.join(loop, call.opened(), this::close);
    Blocking.join(loop, call.send(request.toByteArray()), this::close);
  }

  /** Says that no more requests follow; answers may still come. */
  public void halfClose() {
    Blocking.join(loop, call.opened(), this::close);
    call.halfClose();
  }
}
