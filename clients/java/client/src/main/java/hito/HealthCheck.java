package hito;

import com.google.protobuf.InvalidProtocolBufferException;
import hito.v1.HealthServiceClient;
import hito.v1.Server.HealthCheckResponse;
import hito.v1.Server.HealthStatus;
import hito.v1.Server.HealthWatchRequest;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Listens to what the server of one connection says of itself (clients/BEHAVIOUR.md, C1.8). A
 * server counts as one that serves until it says otherwise, and again when it says no more. Of the
 * loop.
 */
final class HealthCheck {
  private final EventLoop loop;
  private final Connection connection;
  private final BooleanSupplier take;
  private final Consumer<Boolean> tell;
  private final Retry.Backoff backoff = new Retry.Backoff();
  private Call call;
  private EventLoop.Timer timer;
  private boolean isCancelled;

  /** {@code take}: a place for a call on the connection, if there is one. */
  HealthCheck(
      EventLoop loop, Connection connection, BooleanSupplier take, Consumer<Boolean> tell) {
    this.loop = loop;
    this.connection = connection;
    this.take = take;
    this.tell = tell;
  }

  Connection connection() {
    return connection;
  }

  void start() {
    if (isCancelled || !connection.isOpen()) {
      return;
    }
    if (!take.getAsBoolean()) {
      again();
      return;
    }
    String path = HealthServiceClient.WATCH.path();
    CallHeader header =
        new CallHeader(path, CallHeader.NO_TIMEOUT, null, null, null, Metadata.EMPTY);
    byte[] request = HealthWatchRequest.getDefaultInstance().toByteArray();
    try {
      call = connection.open(header, request, true);
    } catch (HitoException error) {
      ended(error);
      return;
    }
    listen();
  }

  void cancel() {
    // Who asks next says how the server is.
    isCancelled = true;
    loop.cancel(timer);
    if (call != null) {
      call.cancel(null);
    }
  }

  private void listen() {
    call.receive()
        .whenComplete(
            (message, error) -> {
              if (isCancelled) {
                return;
              }
              if (message == null) {
                ended(error);
              } else {
                heard(message);
              }
            });
  }

  private void heard(byte[] message) {
    try {
      HealthStatus status = HealthCheckResponse.parseFrom(message).getStatus();
      backoff.reset();
      tell.accept(
          status != HealthStatus.HEALTH_STATUS_NOT_SERVING
              && status != HealthStatus.HEALTH_STATUS_DRAINING);
      listen();
    } catch (InvalidProtocolBufferException error) {
      call.cancel(null);
      ended(error);
    }
  }

  private void ended(Throwable error) {
    tell.accept(true);
    boolean passes =
        error == null
            || error instanceof HitoException.Unavailable
            || error instanceof HitoException.ResourceExhausted;
    // A server that does not have the method is not asked again.
    if (passes) {
      again();
    }
  }

  private void again() {
    timer = loop.after(backoff.next(0), this::start);
  }
}
