package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import org.junit.Test;

/** Publishers of answers: what is not asked for is not read, and ends need no demand. */
public class StreamPublisherTest {
  /** A stream of which a test says what comes. */
  private static final class Answers implements Source<String> {
    final ArrayDeque<CompletableFuture<String>> asked = new ArrayDeque<>();
    Runnable onDrained = () -> {};
    boolean isCancelled;

    @Override
    public CompletableFuture<String> next() {
      CompletableFuture<String> next = new CompletableFuture<>();
      asked.add(next);
      return next;
    }

    @Override
    public void whenDrained(Runnable task) {
      onDrained = task;
    }

    @Override
    public void cancel(HitoException why) {
      isCancelled = true;
    }
  }

  private static final class Subscriber implements Flow.Subscriber<String> {
    final List<String> told = new ArrayList<>();
    Flow.Subscription subscription;

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      this.subscription = subscription;
    }

    @Override
    public void onNext(String answer) {
      told.add(answer);
    }

    @Override
    public void onError(Throwable error) {
      told.add("error " + error.getClass().getSimpleName());
    }

    @Override
    public void onComplete() {
      told.add("complete");
    }
  }

  private final Answers answers = new Answers();
  private final Subscriber subscriber = new Subscriber();

  private void subscribe() {
    new StreamPublisher<String>(Runnable::run, publisher -> answers).subscribe(subscriber);
  }

  @Test
  public void nothingIsReadThatNobodyAskedFor() {
    subscribe();
    assertTrue(answers.asked.isEmpty());
    subscriber.subscription.request(2);
    assertEquals("one at a time", 1, answers.asked.size());
    answers.asked.poll().complete("a");
    answers.asked.poll().complete("b");
    assertTrue(answers.asked.isEmpty());
    assertEquals(List.of("a", "b"), subscriber.told);
    subscriber.subscription.request(Long.MAX_VALUE);
    answers.asked.poll().complete("c");
    answers.asked.poll().complete(null);
    assertEquals(List.of("a", "b", "c", "complete"), subscriber.told);
  }

  @Test
  public void theEndNeedsNoDemand() {
    subscribe();
    answers.onDrained.run();
    answers.asked.poll().completeExceptionally(HitoException.unavailable("gone"));
    assertEquals(List.of("error Unavailable"), subscriber.told);
  }

  @Test
  public void whoCancelsIsToldNothingMore() {
    subscribe();
    subscriber.subscription.request(2);
    subscriber.subscription.cancel();
    assertTrue(answers.isCancelled);
    answers.asked.poll().complete("late");
    assertTrue(subscriber.told.isEmpty());
  }

  @Test
  public void askingForNothingIsAnError() {
    subscribe();
    subscriber.subscription.request(0);
    assertTrue(answers.isCancelled);
    assertEquals(List.of("error IllegalArgumentException"), subscriber.told);
    assertFalse(subscriber.told.contains("complete"));
  }
}
