package hito;

import hito.LogRecord.Event;
import hito.LogRecord.Level;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Makes the records of a client (clients/BEHAVIOUR.md, C5.9); none, and no text for one, where
 * nobody listens. Of the loop.
 */
final class Log {
  private static final int TEXT_MAX = 256;
  private static final int REPLACEMENT = 0xFFFD;

  private final Consumer<LogRecord> function;
  private long calls;

  /** Null where nobody listens. */
  Log(Consumer<LogRecord> function) {
    this.function = function;
  }

  void connecting(Address address) {
    if (function != null) {
      String at = address.toString();
      tell(Level.DEBUG, Event.CONNECTING, "connecting to " + at, Map.of("address", at));
    }
  }

  void connected(Address address, String serverId, long nanos) {
    if (function != null) {
      String at = address.toString();
      String text = "connected to " + at + " in " + millis(nanos) + " ms";
      tell(
          Level.INFO,
          Event.CONNECTED,
          text,
          Map.of("address", at, "server_id", serverId, "duration_ms", millis(nanos)));
    }
  }

  /** {@code reason}: a sentence that names the address. */
  void connectFailed(Address address, String reason) {
    if (function != null) {
      String at = address.toString();
      tell(
          Level.WARNING, Event.CONNECT_FAILED, reason, Map.of("address", at, "reason", reason));
    }
  }

  void disconnected(Address address, boolean isInOrder, String reason) {
    if (function != null) {
      String at = address.toString();
      tell(
          isInOrder ? Level.INFO : Level.WARNING,
          Event.DISCONNECTED,
          "the connection to " + at + " has ended: " + reason,
          Map.of("address", at, "reason", reason));
    }
  }

  /** A stream is about to be taken up again. */
  void watchResumed(String method, HitoException error, long delayNanos) {
    if (function != null) {
      String status = error.code().name();
      long delay = millis(delayNanos);
      tell(
          Level.INFO,
          Event.WATCH_RESUMED,
          method + " is taken up again in " + delay + " ms after " + said(error),
          Map.of("method", method, "status", status, "delay_ms", delay));
    }
  }

  /** Negative where nobody knows how long it is valid. */
  void tokenRefreshed(long validNanos) {
    if (function != null) {
      long valid = validNanos < 0 ? -1 : millis(validNanos);
      tell(
          Level.INFO, Event.TOKEN_REFRESHED, "there is a new token", Map.of("valid_ms", valid));
    }
  }

  void tokenFailed(String reason, long restNanos) {
    if (function != null) {
      tell(
          Level.WARNING,
          Event.TOKEN_FAILED,
          "no new token: " + reason,
          Map.of("reason", reason, "rest_ms", millis(restNanos)));
    }
  }

  /** The records of a call that begins. */
  CallLog call(Method<?, ?> method) {
    // Nothing is counted where nobody listens.
    return function == null ? CallLog.SILENT : new CallLog(this, ++calls, method.path());
  }

  void tell(Level level, Event event, String text, Map<String, Object> fields) {
    Map<String, Object> shown = new LinkedHashMap<>();
    fields.forEach(
        (name, value) -> shown.put(name, value instanceof String said ? shown(said) : value));
    try {
      function.accept(new LogRecord(level, event, shown(text), shown));
    } catch (Throwable error) {
      // Nothing that a listener does changes what happens.
    }
  }

  static String said(HitoException error) {
    return error.code().name() + (error.text().isEmpty() ? "" : ": " + error.text());
  }

  static long millis(long nanos) {
    return (nanos + 500_000) / 1_000_000;
  }

  /** What a peer says writes no lines and no terminal commands into a log. */
  static String shown(String text) {
    return text.codePoints()
        .limit(TEXT_MAX)
        .map(point -> isShown(point) ? point : REPLACEMENT)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static boolean isShown(int point) {
    return switch (Character.getType(point)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          false;
      default -> true;
    };
  }
}
