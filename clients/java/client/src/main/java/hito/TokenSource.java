package hito;

/**
 * Gives the token of a call, where it is not the same for ever.
 *
 * <p>It is asked before each attempt of each call, so that it keeps a token for as long as that is
 * good; it may block.
 */
@FunctionalInterface
public interface TokenSource {
  /**
   * The token to use now.
   *
   * @throws Exception why there is none; the call ends with {@link HitoException.Unauthenticated}
   */
  String token() throws Exception;
}
