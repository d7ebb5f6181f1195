package hito;

/**
 * The token of one call, for each of its attempts: its own, or the provider's. Says once that the
 * call is to be repeated where that is refused. Of the loop.
 */
final class CallToken {
  // Null where the call has a token of its own, or the client has no provider.
  private final Tokens tokens;
  private final String own;
  private String text;
  private HitoException refusal;

  CallToken(Tokens tokens, String own) {
    this.tokens = own == null ? tokens : null;
    this.own = own;
  }

  /**
   * Tells the token for the next attempt, null for HELLO's, or why there is none; see {@link
   * Tokens#token}.
   */
  Runnable next(Tokens.Waiter waiter) {
    if (tokens == null) {
      waiter.given(own);
      return null;
    }
    return tokens.token(
        new Tokens.Waiter() {
          @Override
          public void given(String given) {
            text = given;
            waiter.given(given);
          }

          @Override
          public void failed(HitoException error) {
            waiter.failed(explained(error));
          }
        });
  }

  /** What the server said of the token before is what the caller has to know. */
  private HitoException explained(HitoException error) {
    boolean isRefused = refusal != null && error instanceof HitoException.Unauthenticated;
    return isRefused ? refusal.causedBy(error.getCause()) : error;
  }

  /** The server answered under it. */
  void answered() {
    if (tokens != null) {
      tokens.taken(text);
    }
  }

  /** An attempt failed; whether it is to be repeated under another token, which is once. */
  boolean failed(Throwable error) {
    if (tokens == null || !(error instanceof HitoException known) || !known.fromServer()) {
      return false;
    }
    if (!isRefusal(error)) {
      tokens.taken(text);
      return false;
    }
    tokens.refused(text);
    boolean isFirst = refusal == null;
    refusal = known;
    return isFirst;
  }

  /** Whether the server refused one of the provider's, which the next call does not have. */
  boolean isRefusal(Throwable error) {
    return tokens != null
        && error instanceof HitoException.Unauthenticated known
        && known.fromServer();
  }
}
