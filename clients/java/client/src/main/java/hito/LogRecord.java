package hito;

import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Something that happened to a client (clients/BEHAVIOUR.md, C5.9). It never has tokens, metadata,
 * messages or keys; text of a peer is cut, and its control characters are replaced.
 *
 * @param level how much it matters
 * @param event what happened
 * @param text a sentence for people
 * @param fields by their names, each a {@code String} or a {@code Long}
 */
public record LogRecord(Level level, Event event, String text, Map<String, Object> fields) {
  /** How much a record matters. */
  public enum Level {
    /** For those who look for a mistake. */
    DEBUG(System.Logger.Level.DEBUG),
    /** Worth knowing. */
    INFO(System.Logger.Level.INFO),
    /** Perhaps somewhere a person has to do something. */
    WARNING(System.Logger.Level.WARNING);

    private final System.Logger.Level system;

    Level(System.Logger.Level system) {
      this.system = system;
    }

    /** The same of {@code System.Logger}. */
    public System.Logger.Level system() {
      return system;
    }
  }

  /** What happens to clients. */
  public enum Event {
    /** {@code address}. */
    CONNECTING("connecting"),
    /** {@code address}, {@code server_id}, {@code duration_ms}. */
    CONNECTED("connected"),
    /** {@code address}, {@code reason}. */
    CONNECT_FAILED("connect_failed"),
    /** {@code address}, {@code reason}. */
    DISCONNECTED("disconnected"),
    /** {@code call}, {@code method}. */
    CALL_STARTED("call_started"),
    /** {@code call}, {@code method}, {@code attempt}, {@code status}, {@code delay_ms}. */
    CALL_REPEATED("call_repeated"),
    /** {@code call}, {@code method}, {@code copy}. */
    CALL_HEDGED("call_hedged"),
    /** {@code call}, {@code method}, {@code status}, {@code duration_ms}, {@code attempts}. */
    CALL_ENDED("call_ended"),
    /** {@code method}, {@code status}, {@code delay_ms}. */
    WATCH_RESUMED("watch_resumed"),
    /** {@code valid_ms}, -1 where that is not known. */
    TOKEN_REFRESHED("token_refreshed"),
    /** {@code reason}, {@code rest_ms}. */
    TOKEN_FAILED("token_failed");

    private final String label;

    Event(String label) {
      this.label = label;
    }

    /** Its name in all languages, such as {@code call_ended}. */
    @Override
    public String toString() {
      return label;
    }
  }

  /** With fields that do not change. */
  public LogRecord {
    fields = Map.copyOf(fields);
  }

  /** Event and fields in a line, in the order of their names, as in {@code call_ended call=1 ...}. */
  public String line() {
    return fields.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(field -> " " + field.getKey() + "=" + field.getValue())
        .collect(Collectors.joining("", event.toString(), ""));
  }

  /**
   * A function for {@link ClientBuilder#log} that writes to a logger of the platform's, and so to
   * whatever that stands for: the sentence, and behind it {@link #line} in brackets.
   */
  public static Consumer<LogRecord> to(System.Logger logger) {
    return record -> {
      System.Logger.Level level = record.level().system();
      if (logger.isLoggable(level)) {
        logger.log(level, record.text() + " [" + record.line() + "]");
      }
    };
  }
}
