package hito;

import hito.v1.EventServiceClient;
import hito.v1.Events.JoinGroup;
import java.util.concurrent.Flow;

/** The event log; {@link #consumeResuming(String)} is what consumers of groups want. */
public final class EventClient extends EventServiceClient {
  EventClient(Channel channel) {
    super(channel);
  }

  /** Consumes events of a group for ever: reconnects by itself. */
  public GroupConsumer consumeResuming(String group) {
    return consumeResuming(ConsumeOptions.of(group));
  }

  /** Consumes events of a group for ever: reconnects by itself. */
  public GroupConsumer consumeResuming(ConsumeOptions options) {
    return new GroupConsumer(channel, join(options), options);
  }

  /** The same as a publisher; each subscriber is a consumer of its own. */
  public Flow.Publisher<Delivery> consumeResumingAsync(ConsumeOptions options) {
    return channel.publisher(() -> new ConsumeSource(channel, join(options), options));
  }

  private static JoinGroup join(ConsumeOptions options) {
    return JoinGroup.newBuilder()
        .setGroup(options.group())
        .setConsumer(options.consumer())
        .setBufferSize(options.bufferSize())
        .build();
  }
}
