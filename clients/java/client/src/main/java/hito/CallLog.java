package hito;

import hito.LogRecord.Event;
import hito.LogRecord.Level;
import java.util.HashMap;
import java.util.Map;

/** The records of one call, from its first attempt to what its caller has of it. Of the loop. */
final class CallLog {
  /** Of a call that nobody hears of. */
  static final CallLog SILENT = new CallLog(null, 0, "");

  private final Log log;
  private final long number;
  private final String method;
  private final long begunAt = System.nanoTime();
  private long attempts = 1;
  private boolean isEnded;

  CallLog(Log log, long number, String method) {
    this.log = log;
    this.number = number;
    this.method = method;
  }

  void begun() {
    if (log != null) {
      tell(Level.DEBUG, Event.CALL_STARTED, method + " begins", Map.of());
    }
  }

  void repeated(HitoException error, long delayNanos) {
    if (log == null) {
      return;
    }
    attempts++;
    long delay = Log.millis(delayNanos);
    tell(
        Level.INFO,
        Event.CALL_REPEATED,
        method + " is repeated in " + delay + " ms after " + Log.said(error),
        Map.of("attempt", attempts, "status", error.code().name(), "delay_ms", delay));
  }

  /** {@code copy}: 2 is the first. */
  void hedged(int copy) {
    if (log != null) {
      tell(
          Level.DEBUG,
          Event.CALL_HEDGED,
          method + " is asked again beside",
          Map.of("copy", (long) copy));
    }
  }

  /** {@code error}: how it failed; null where it went well. The first end counts. */
  void ended(Throwable error) {
    if (log == null || isEnded) {
      return;
    }
    isEnded = true;
    String status = "UNKNOWN";
    String how = status;
    if (error == null) {
      status = how = "OK";
    } else if (error instanceof HitoException known) {
      status = known.code().name();
      how = Log.said(known);
    } else {
      // Its text is not ours, and may say what nobody should read.
      how += ": " + error.getClass().getSimpleName();
    }
    long took = Log.millis(System.nanoTime() - begunAt);
    tell(
        isOrdinary(error) ? Level.DEBUG : Level.INFO,
        Event.CALL_ENDED,
        method + " ended after " + took + " ms with " + how,
        Map.of("status", status, "duration_ms", took, "attempts", attempts));
  }

  private static boolean isOrdinary(Throwable error) {
    return error == null
        || error instanceof HitoException.Cancelled cancelled && !cancelled.fromServer();
  }

  private void tell(Level level, Event event, String text, Map<String, Object> more) {
    Map<String, Object> fields = new HashMap<>(more);
    fields.put("call", number);
    fields.put("method", method);
    log.tell(level, event, text, fields);
  }
}
