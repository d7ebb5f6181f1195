package hito;

/**
 * Which token a call has, and when the provider is asked for another (clients/BEHAVIOUR.md, C5.8).
 * Pure: it asks nobody and waits for nothing; time and chance are arguments, times are nanoseconds.
 *
 * <pre>
 *   none --asked--> current --refused--> none --asked--> current
 *                     +--margin: asked again, current until then
 *   asked in vain, or two tokens in a row refused: rests, and nobody asks
 * </pre>
 */
final class TokenMachine {
  /** What a call that needs a token does. */
  sealed interface Step {}

  /** It has this one. */
  record Use(String text) implements Step {}

  /** It waits for the answer to a question, and looks again with {@link #afterQuestion}. */
  record Wait(boolean isNew) implements Step {}

  /** There is none. */
  record Fail(String reason) implements Step {}

  /** What of it is worth a record. */
  sealed interface Outcome {}

  /** There is a new token; negative where nobody knows how long it is valid. */
  record Refreshed(long validNanos) implements Outcome {}

  /** Nobody is asked for so long. */
  record Rests(String reason, long nanos) implements Outcome {}

  static final long NOT_SAID = -1;
  private static final long MARGIN_MAX_NANOS = 10_000_000_000L;

  private String current;
  private boolean expires;
  private long validUntil;
  private long renewAt;
  // Whether a call under the current one had another answer than that it is refused.
  private boolean isProven;
  private String refused;
  // Of tokens that were not proven, in a row.
  private int refusals;
  private int rests;
  private boolean isResting;
  private long restUntil;
  private boolean isAsking;
  private String reason = "the token provider has no token";

  /** A call needs a token. */
  Step next(long now) {
    if (current != null && !(expires && now - renewAt >= 0)) {
      return new Use(current);
    }
    if (isAsking) {
      return new Wait(false);
    }
    if (isResting && now - restUntil < 0) {
      return afterQuestion(now);
    }
    isAsking = true;
    return new Wait(true);
  }

  /** A call has waited for a question, and waits for no other. */
  Step afterQuestion(long now) {
    boolean isValid = current != null && !(expires && now - validUntil >= 0);
    return isValid ? new Use(current) : new Fail(reason);
  }

  /** The provider gave a token. */
  Outcome given(Token token, long now, double chance) {
    isAsking = false;
    String why = useless(token);
    if (why != null) {
      return rest(why, now, chance);
    }
    current = token.text();
    isProven = false;
    isResting = false;
    expires = token.validFor() != null;
    if (!expires) {
      return new Refreshed(NOT_SAID);
    }
    long valid = Channel.nanos(token.validFor());
    validUntil = now + valid;
    renewAt = validUntil - Math.min(MARGIN_MAX_NANOS, valid / 10);
    return new Refreshed(valid);
  }

  /** The provider gave none. */
  Outcome failed(String why, long now, double chance) {
    isAsking = false;
    return rest(why, now, chance);
  }

  /**
   * A server did not take a token; null where nothing is to be said. One that is not the current
   * one any more does not matter.
   */
  Outcome refused(String text, long now, double chance) {
    if (!text.equals(current)) {
      return null;
    }
    refused = text;
    current = null;
    refusals = isProven ? 0 : refusals + 1;
    return refusals < 2
        ? null
        : rest("the server refuses the tokens of the provider", now, chance);
  }

  /** A server answered a call under a token. */
  void taken(String text) {
    if (!isProven && text.equals(current)) {
      isProven = true;
      refusals = 0;
      rests = 0;
    }
  }

  /** Why a token is of no use; null where it is. */
  private String useless(Token token) {
    if (token == null || !isSendable(token.text())) {
      return "the token provider gave what may not be sent";
    }
    if (token.text().equals(refused)) {
      return "the token provider gave the token that was refused";
    }
    if (token.validFor() != null && (token.validFor().isNegative() || token.validFor().isZero())) {
      return "the token provider gave a token that is not valid any more";
    }
    return null;
  }

  private static boolean isSendable(String text) {
    try {
      return text != null && !Wire.checked("token", text, Wire.TOKEN_MAX).isEmpty();
    } catch (IllegalArgumentException error) {
      return false;
    }
  }

  private Rests rest(String why, long now, double chance) {
    reason = why;
    long nanos = Retry.backoff(rests++, chance);
    isResting = true;
    restUntil = now + nanos;
    return new Rests(why, nanos);
  }
}
