package hito;

import java.util.function.DoubleSupplier;

/** When to try again. Pure: time and chance are arguments; times are nanoseconds. */
final class Retry {
  static final long BACKOFF_MIN_NANOS = 50_000_000L;
  static final long BACKOFF_MAX_NANOS = 5_000_000_000L;

  /** The longest that a server can make a client wait. */
  static final long PUSHBACK_MAX_NANOS = 60_000_000_000L;

  private Retry() {}

  /** How long to wait after so many failures before the last: half is fixed, half is chance. */
  static long backoff(int failures, double chance) {
    double ceiling =
        Math.min(BACKOFF_MAX_NANOS, BACKOFF_MIN_NANOS * Math.pow(2, Math.min(failures, 20)));
    return (long) (ceiling * (0.5 + 0.5 * chance));
  }

  /** Delays that grow by half to double with each failure, from 50 ms to 5 s (W14.3). */
  static final class Backoff {
    private final DoubleSupplier chance;
    private int failures;

    Backoff(DoubleSupplier chance) {
      this.chance = chance;
    }

    Backoff() {
      this(Math::random);
    }

    void reset() {
      failures = 0;
    }

    /** At least what the server asked for, within reason. */
    long next(long pushback) {
      long delay = backoff(failures++, chance.getAsDouble());
      return Math.max(delay, Math.min(pushback, PUSHBACK_MAX_NANOS));
    }
  }

  /**
   * Spreads the retries of all calls of a client: a burst is free, then so many a second. A server
   * that comes back after an outage meets a bounded stream of retries instead of all at once.
   */
  static final class Pacer {
    private final double burst;
    private final double interval;
    private boolean isUsed;
    // Of the first time that it was asked for: doubles are exact enough from there.
    private long origin;
    private double nextAt;

    Pacer(RetryBudget budget) {
      interval = 1e9 / Math.max(budget.perSecond(), 1e-3);
      burst = Math.max(1, budget.burst()) * interval;
    }

    private double start(long now) {
      if (!isUsed) {
        isUsed = true;
        origin = now;
        nextAt = -burst;
      }
      return Math.max(nextAt, now - origin - burst);
    }

    /** Books a retry; how much later than planned it should happen. */
    synchronized long delay(long now) {
      nextAt = start(now) + interval;
      return (long) Math.max(0, nextAt - (now - origin));
    }

    /** Books a retry that is of use now or not at all; false where there is none left. */
    synchronized boolean takeNow(long now) {
      double start = start(now);
      // Beyond the rounding of a sum of intervals.
      if (start + interval > now - origin + interval * 1e-6) {
        return false;
      }
      nextAt = start + interval;
      return true;
    }
  }

  /** Whether a call that failed is repeated, and when. */
  static final class Repeats {
    static final long NEVER = -1;

    private final Pacer pacer;
    private final Backoff backoff = new Backoff();
    private final long repeatTime;
    private boolean hasEnd;
    private long end;

    /**
     * Of a call with this deadline, or null. A call without one is repeated for so long after its
     * first failure; without end where that is negative.
     */
    Repeats(Pacer pacer, Long deadline, long repeatTime) {
      this.pacer = pacer;
      this.repeatTime = repeatTime;
      if (deadline != null) {
        hasEnd = true;
        end = deadline;
      }
    }

    /** How long to wait before the next attempt; {@link #NEVER} where there is to be none. */
    long delay(HitoException error, boolean mayRepeat, long now) {
      if (!hasEnd && repeatTime >= 0) {
        hasEnd = true;
        end = now + repeatTime;
      }
      // With a cursor where it continues is the caller's to say: the same request might begin
      // elsewhere.
      boolean lasts = !(error instanceof HitoException.Unavailable found) || found.isLasting();
      if (!mayRepeat || lasts || !error.resumeCursor().isEmpty()) {
        return NEVER;
      }
      long wait = backoff.next(error.pushbackNanos());
      if (isTooLate(now + wait)) {
        return NEVER;
      }
      wait += pacer.delay(now);
      return isTooLate(now + wait) ? NEVER : wait;
    }

    private boolean isTooLate(long at) {
      return hasEnd && at - end >= 0;
    }
  }
}
