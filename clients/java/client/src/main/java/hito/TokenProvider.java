package hito;

/**
 * Makes tokens while a client lives (clients/BEHAVIOUR.md, C5.8).
 *
 * <p>There is one question at a time, for all calls of a client: by the first call that needs a
 * token, shortly before the current one expires, and when a server refused the current one.
 */
@FunctionalInterface
public interface TokenProvider {
  /**
   * A new token. Runs on a thread of the library's own, which it may block; that is interrupted
   * where it takes longer than {@link ClientBuilder#tokenTimeout}, or the client is closed.
   *
   * @throws Exception why there is none; the cause of the error that calls end with
   */
  Token token() throws Exception;
}
