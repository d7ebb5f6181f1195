package hito;

import java.time.Duration;

/**
 * When a call is made again beside itself: the first response counts, the other copies are
 * cancelled.
 *
 * @param delay between one copy and the next; a millisecond or more
 * @param copies in all, 1 (not hedged) to 5
 */
public record Hedging(Duration delay, int copies) {
  static final int COPIES_MAX = 5;

  /** Two copies in all. */
  public Hedging(Duration delay) {
    this(delay, 2);
  }

  /** Bounded to what makes sense. */
  public Hedging {
    copies = Math.min(Math.max(1, copies), COPIES_MAX);
    if (delay.compareTo(Duration.ofMillis(1)) < 0) {
      delay = Duration.ofMillis(1);
    }
  }
}
