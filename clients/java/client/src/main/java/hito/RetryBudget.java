package hito;

/**
 * How many repeats the calls of a client have together.
 *
 * @param burst so many at once
 * @param perSecond when the burst is used up: further repeats wait, and further copies are not made
 */
public record RetryBudget(int burst, double perSecond) {
  /** 100 at once, 200 a second. */
  public static final RetryBudget DEFAULT = new RetryBudget(100, 200);
}
