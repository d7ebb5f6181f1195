package hito;

import java.util.concurrent.CompletableFuture;

/**
 * Around every call of a client: one shape for calls with one response and streams.
 *
 * <pre>{@code
 * class Traced implements Interceptor {
 *   public <T> CompletableFuture<T> intercept(
 *       Method<?, ?> method, CallOptions options, Proceed<T> proceed) {
 *     Span span = begin(method.path());
 *     return proceed.proceed(options.withTraceparent(span.header()))
 *         .whenComplete((reply, error) -> span.end(error));
 *   }
 * }
 * }</pre>
 */
@FunctionalInterface
public interface Interceptor {
  /** Makes the call. */
  @FunctionalInterface
  interface Proceed<T> {
    /** With these options. */
    CompletableFuture<T> proceed(CallOptions options);
  }

  /**
   * Makes a call by {@code proceed}, with these options or others. What it gives is the reply of a
   * call that has one, and the open stream where responses are a stream.
   */
  <T> CompletableFuture<T> intercept(
      Method<?, ?> method, CallOptions options, Proceed<T> proceed);
}
