package hito;

import com.google.protobuf.MessageLite;
import java.util.concurrent.Flow;

/** Sends what a publisher publishes, and asks for no more than the server takes. */
final class RequestSubscriber<Q extends MessageLite> implements Flow.Subscriber<Q> {
  private final StreamCall call;
  private Flow.Subscription subscription;

  RequestSubscriber(StreamCall call) {
    this.call = call;
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    if (this.subscription != null) {
      subscription.cancel();
      return;
    }
    this.subscription = subscription;
    call.onEnd(subscription::cancel);
    subscription.request(1);
  }

  @Override
  public void onNext(Q request) {
    call.send(request.toByteArray()).thenRun(() -> call.channelExecutor().execute(this::sent));
  }

  private void sent() {
    if (call.isEnded()) {
      subscription.cancel();
    } else {
      subscription.request(1);
    }
  }

  @Override
  public void onError(Throwable error) {
    HitoException failure = HitoException.cancelled("the request stream failed: " + error);
    failure.initCause(error);
    call.cancel(error instanceof HitoException known ? known : failure);
  }

  @Override
  public void onComplete() {
    call.halfClose();
  }
}
