package examples;

import hito.CallOptions;
import hito.Client;
import hito.v1.Progress.WatchRequest;
import hito.v1.Progress.WatchResponse;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;

/** Prints events as they happen, for ever, by a subscriber: FollowProgress ADDRESS CA-FILE TOKEN */
public final class FollowProgress {
  private FollowProgress() {}

  /** Runs it. */
  public static void main(String[] arguments) throws InterruptedException {
    try (Client client =
        Client.builder(arguments[0])
            .caFile(Path.of(arguments[1]))
            .token(arguments[2])
            .connect()) {
      CountDownLatch ended = new CountDownLatch(1);
      client
          .progress()
          .watchResumingAsync(
              WatchRequest.getDefaultInstance(),
              CallOptions.DEFAULT,
              error -> System.err.println("taken up again after " + error.getMessage()))
          .subscribe(new Printer(ended));
      ended.await();
    }
  }

  private static final class Printer implements Flow.Subscriber<WatchResponse> {
    private final CountDownLatch ended;
    private Flow.Subscription subscription;

    Printer(CountDownLatch ended) {
      this.ended = ended;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      this.subscription = subscription;
      subscription.request(1);
    }

    @Override
    public void onNext(WatchResponse step) {
      if (step.hasEvent()) {
        System.out.println(step.getEvent().getType() + " " + step.getEvent().getPayloadJson());
      }
      subscription.request(1);
    }

    @Override
    public void onError(Throwable error) {
      System.err.println(error.getMessage());
      ended.countDown();
    }

    @Override
    public void onComplete() {
      ended.countDown();
    }
  }
}
