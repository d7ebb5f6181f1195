package hito;

import hito.v1.Events.JoinGroup;

/**
 * A consumer of a group, which reconnects by itself.
 *
 * <pre>{@code
 * try (GroupConsumer consumer = client.events().consumeResuming("mailer")) {
 *   for (Delivery delivery : consumer) {
 *     sendMail(delivery.event());
 *     delivery.ack().join();
 *   }
 * }
 * }</pre>
 *
 * <p>Every event comes at least once. After a broken connection what was not settled comes again;
 * work on it should check {@link Delivery#isHeld}. Read by one thread; settle by any. It ends by
 * {@link #close}, which gives back what is not settled, or by an error that trying again would not
 * mend.
 */
public final class GroupConsumer extends Answers<Delivery> {
  private final ConsumeSource source;

  GroupConsumer(Channel channel, JoinGroup join, ConsumeOptions options) {
    this(channel, new ConsumeSource(channel, join, options));
  }

  private GroupConsumer(Channel channel, ConsumeSource source) {
    super(channel.loop(), source);
    this.source = source;
  }

  /** Its name in the group; known from the first delivery on, where the server makes one. */
  public String name() {
    return source.name();
  }

  /** How often the stream broke and was taken up again. */
  public int interruptions() {
    return source.interruptions();
  }
}
