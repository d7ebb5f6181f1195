package hito;

import hito.v1.Events.ConsumeResponse;
import hito.v1.Events.Event;
import hito.v1.Events.SettleAction;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * An event in the hands of a consumer, which has to say what becomes of it.
 *
 * <p>Each of {@link #ack}, {@link #retry}, {@link #park}, {@link #skip} and {@link #extend} gives
 * true once the server has it on disk, and false where the consumer does not have the event any
 * more: it was not settled in time, or the connection broke, and the event comes again, to this or
 * another consumer. Waiting is the caller's: {@code delivery.ack().join()}.
 */
public final class Delivery {
  private final ConsumeSession session;
  private final ConsumeResponse response;

  Delivery(ConsumeSession session, ConsumeResponse response) {
    this.session = session;
    this.response = response;
  }

  /** What happened. */
  public Event event() {
    return response.getEvent();
  }

  /** The how manieth time it is given to a consumer; from 1. */
  public int attempt() {
    return response.getAttempt();
  }

  /** All that the server said of it. */
  public ConsumeResponse response() {
    return response;
  }

  /**
   * Whether nothing was heard yet of another consumer having the event. Where it is false, work on
   * it should end.
   */
  public boolean isHeld() {
    return session.holds(this);
  }

  /** Done. */
  public CompletableFuture<Boolean> ack() {
    return session.settle(this, SettleAction.SETTLE_ACTION_ACK, "", 0);
  }

  /** Done, though not wanted. */
  public CompletableFuture<Boolean> skip() {
    return session.settle(this, SettleAction.SETTLE_ACTION_SKIP, "", 0);
  }

  /** Again, when the group says. */
  public CompletableFuture<Boolean> retry() {
    return session.settle(this, SettleAction.SETTLE_ACTION_RETRY, "", 0);
  }

  /** Again after a time, for a reason. */
  public CompletableFuture<Boolean> retry(Duration after, String reason) {
    long micros = Math.max(1, after.toNanos() / 1000);
    return session.settle(this, SettleAction.SETTLE_ACTION_RETRY, reason, micros);
  }

  /** Put aside for a person. */
  public CompletableFuture<Boolean> park(String reason) {
    return session.settle(this, SettleAction.SETTLE_ACTION_PARK, reason, 0);
  }

  /** The time to settle it begins anew. */
  public CompletableFuture<Boolean> extend() {
    return session.settle(this, SettleAction.SETTLE_ACTION_EXTEND, "", 0);
  }
}
