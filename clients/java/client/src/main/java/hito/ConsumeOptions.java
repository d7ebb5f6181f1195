package hito;

import java.util.function.Consumer;

/**
 * How events of a group are consumed.
 *
 * @param group its name
 * @param consumer the consumer's name, which no other of the group may have; made by the server
 *     where it is empty
 * @param bufferSize how many events it has at a time; the server's usual number where 0
 * @param autoExtend whether an event is kept for as long as it is worked on; without it, what is
 *     not settled in the group's time goes to another consumer
 * @param call of each attempt
 * @param onInterruption is told why the stream broke, each time; or null
 */
public record ConsumeOptions(
    String group,
    String consumer,
    int bufferSize,
    boolean autoExtend,
    CallOptions call,
    Consumer<HitoException> onInterruption) {
  /** What most want. */
  public static ConsumeOptions of(String group) {
    return new ConsumeOptions(group, "", 0, true, CallOptions.DEFAULT, null);
  }
}
