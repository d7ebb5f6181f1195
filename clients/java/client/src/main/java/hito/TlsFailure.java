package hito;

import java.security.GeneralSecurityException;
import javax.net.ssl.SSLException;

/** What a channel's end means for the calls on it. */
final class TlsFailure {
  private TlsFailure() {}

  static HitoException of(Exception why) {
    if (why == null) {
      return HitoException.unavailable("connection lost");
    }
    for (Throwable cause = why; cause != null; cause = cause.getCause()) {
      if (cause instanceof GeneralSecurityException) {
        // It will not be trusted later.
        return HitoException.of(
            StatusCode.UNAVAILABLE,
            "certificate refused: " + cause.getMessage(),
            HitoException.Said.UNTRUSTED);
      }
    }
    String kind = why instanceof SSLException ? "TLS: " : "connection lost: ";
    return HitoException.unavailable(kind + why.getMessage());
  }
}
