package hito;

import java.util.function.BiConsumer;

/** What a client says of its connections and repeats; never a token, never a message. */
final class Log {
  private final BiConsumer<System.Logger.Level, String> hook;

  Log(BiConsumer<System.Logger.Level, String> hook) {
    this.hook = hook;
  }

  void debug(String text) {
    say(System.Logger.Level.DEBUG, text);
  }

  void info(String text) {
    say(System.Logger.Level.INFO, text);
  }

  void warn(String text) {
    say(System.Logger.Level.WARNING, text);
  }

  private void say(System.Logger.Level level, String text) {
    try {
      hook.accept(level, text);
    } catch (RuntimeException error) {
      // A hook that fails must not end the connection that it was told of.
      System.getLogger("hito").log(System.Logger.Level.ERROR, "the log hook failed", error);
    }
  }
}
