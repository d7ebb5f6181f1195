package hito;

import java.time.Duration;

/**
 * What a caller may say about one call, beside its request.
 *
 * <pre>{@code
 * client.goals().getGoal(request, CallOptions.DEFAULT.withTimeout(Duration.ofSeconds(2)));
 * }</pre>
 */
public final class CallOptions {
  /** Nothing special. */
  public static final CallOptions DEFAULT = new CallOptions();

  private Duration timeout;
  private Metadata metadata = Metadata.EMPTY;
  private String token;
  private String traceparent;
  private Boolean waitForReady;
  private String idempotencyKey;
  private ResponseInfo responseInfo;
  private Hedging hedging;

  private CallOptions() {}

  private CallOptions(CallOptions other) {
    timeout = other.timeout;
    metadata = other.metadata;
    token = other.token;
    traceparent = other.traceparent;
    waitForReady = other.waitForReady;
    idempotencyKey = other.idempotencyKey;
    responseInfo = other.responseInfo;
    hedging = other.hedging;
  }

  /** How long the call may take, repeats included; null: a unary call as long as the client says. */
  public Duration timeout() {
    return timeout;
  }

  /** With another time. */
  public CallOptions withTimeout(Duration timeout) {
    CallOptions copy = new CallOptions(this);
    copy.timeout = timeout;
    return copy;
  }

  /** What goes beside the request. */
  public Metadata metadata() {
    return metadata;
  }

  /** With other metadata. */
  public CallOptions withMetadata(Metadata metadata) {
    CallOptions copy = new CallOptions(this);
    copy.metadata = metadata;
    return copy;
  }

  /** Instead of the client's; null for that. */
  public String token() {
    return token;
  }

  /** With a token of its own. */
  public CallOptions withToken(String token) {
    CallOptions copy = new CallOptions(this);
    copy.token = Wire.checked("token", token, Wire.TOKEN_MAX);
    return copy;
  }

  /** W3C trace context; null for none of its own. */
  public String traceparent() {
    return traceparent;
  }

  /** With a trace context. */
  public CallOptions withTraceparent(String traceparent) {
    CallOptions copy = new CallOptions(this);
    copy.traceparent = Wire.checked("traceparent", traceparent, Wire.KEY_MAX);
    return copy;
  }

  /** Whether it waits for a server while none can be reached; null: as the client says. */
  public Boolean waitForReady() {
    return waitForReady;
  }

  /** Waiting for a server within its time, or not. */
  public CallOptions withWaitForReady(boolean waitForReady) {
    CallOptions copy = new CallOptions(this);
    copy.waitForReady = waitForReady;
    return copy;
  }

  /** Lets the caller repeat the call (W14); null: one is made where it is of use. */
  public String idempotencyKey() {
    return idempotencyKey;
  }

  /** With a key of the caller's. */
  public CallOptions withIdempotencyKey(String idempotencyKey) {
    CallOptions copy = new CallOptions(this);
    copy.idempotencyKey = Wire.checked("idempotency key", idempotencyKey, Wire.KEY_MAX);
    return copy;
  }

  /** What is told what the server says beside its answer; null for nothing. */
  public ResponseInfo responseInfo() {
    return responseInfo;
  }

  /** With what is to be told. */
  public CallOptions withResponseInfo(ResponseInfo responseInfo) {
    CallOptions copy = new CallOptions(this);
    copy.responseInfo = responseInfo;
    return copy;
  }

  /** Makes a unary call again beside itself; null: as the client says for calls that only read. */
  public Hedging hedging() {
    return hedging;
  }

  /** Hedged. A call that writes needs an idempotency key of its caller's for it. */
  public CallOptions withHedging(Hedging hedging) {
    CallOptions copy = new CallOptions(this);
    copy.hedging = hedging;
    return copy;
  }
}
