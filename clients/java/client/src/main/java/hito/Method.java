package hito;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;

/**
 * What the generated stubs say about a method.
 *
 * @param path for example {@code hito.v1.GoalService/CreateGoal}
 * @param kind how many requests and responses it has
 * @param readOnly it changes nothing, so that a client may repeat it at will
 * @param requests reads a request
 * @param responses reads a response
 * @param <Q> its requests
 * @param <R> its responses
 */
public record Method<Q extends MessageLite, R extends MessageLite>(
    String path, Kind kind, boolean readOnly, Parser<Q> requests, Parser<R> responses) {
  /** The four kinds of calls. */
  public enum Kind {
    UNARY,
    SERVER_STREAM,
    CLIENT_STREAM,
    BIDI
  }

  /** A method. */
  public static <Q extends MessageLite, R extends MessageLite> Method<Q, R> of(
      String path, Kind kind, boolean readOnly, Parser<Q> requests, Parser<R> responses) {
    return new Method<>(path, kind, readOnly, requests, responses);
  }
}
