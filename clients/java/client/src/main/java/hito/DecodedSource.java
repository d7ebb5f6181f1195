package hito;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import java.util.concurrent.CompletableFuture;

/** The responses of one call as messages; one that is not valid ends it. */
final class DecodedSource<R extends MessageLite> implements Source<R> {
  private final Method<?, R> method;
  private final StreamCall call;

  DecodedSource(Method<?, R> method, StreamCall call) {
    this.method = method;
    this.call = call;
  }

  /** Of the call's method. */
  String path() {
    return method.path();
  }

  /** Whether it ended because a server refused a token that the client can replace. */
  boolean isTokenRefused() {
    return call.isTokenRefused();
  }

  @Override
  public CompletableFuture<R> next() {
    return call.next().thenApply(this::decoded);
  }

  @Override
  public void whenDrained(Runnable task) {
    call.whenDrained(task);
  }

  @Override
  public void cancel(HitoException why) {
    call.cancel(why);
  }

  private R decoded(byte[] message) {
    try {
      return message == null ? null : decode(method, message);
    } catch (HitoException error) {
      call.cancel(error);
      throw error;
    }
  }

  static <R extends MessageLite> R decode(Method<?, R> method, byte[] message) {
    try {
      return method.responses().parseFrom(message);
    } catch (InvalidProtocolBufferException error) {
      HitoException failure =
          HitoException.internal("the server's answer to " + method.path() + " is not valid");
      failure.initCause(error);
      throw failure;
    }
  }
}
