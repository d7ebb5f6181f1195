package hito;

import java.time.Duration;

/**
 * What a {@link TokenProvider} answers with.
 *
 * @param text what servers are shown
 * @param validFor how long it is valid from now on; null where that is not known
 */
public record Token(String text, Duration validFor) {
  /** A token of which nobody knows how long it is valid. */
  public static Token of(String text) {
    return new Token(text, null);
  }

  /** A token that is valid for so long from now on. */
  public static Token of(String text, Duration validFor) {
    return new Token(text, validFor);
  }

  /** Without the text, which belongs into no log. */
  @Override
  public String toString() {
    return "Token[validFor=" + validFor + "]";
  }
}
