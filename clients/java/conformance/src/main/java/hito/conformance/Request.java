package hito.conformance;

import hito.CallOptions;
import hito.Hedging;
import hito.Metadata;
import hito.Method;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** One line of the runner. */
record Request(Map<String, Object> line) {
  @SuppressWarnings("unchecked")
  static Request of(String line) {
    return new Request((Map<String, Object>) Json.read(line));
  }

  int id() {
    return number("id", 0);
  }

  String text(String name) {
    return (String) line.get(name);
  }

  boolean has(String name) {
    return line.get(name) != null;
  }

  boolean isTrue(String name, boolean unlessSaid) {
    return line.get(name) instanceof Boolean said ? said : unlessSaid;
  }

  int number(String name, int unlessSaid) {
    return line.get(name) instanceof Double number ? number.intValue() : unlessSaid;
  }

  @SuppressWarnings("unchecked")
  List<String> texts(String name) {
    return (List<String>) line.get(name);
  }

  Duration millis(String name) {
    return Duration.ofNanos((long) ((Double) line.get(name) * 1e6));
  }

  List<byte[]> messages() {
    return texts("messages").stream().map(HexFormat.of()::parseHex).toList();
  }

  /** The method by its path, as the generated clients have it. */
  Method<?, ?> method() throws ReflectiveOperationException {
    String path = text("method");
    String service = path.substring(0, path.indexOf('/'));
    String name = path.substring(path.indexOf('/') + 1);
    String constant = name.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toUpperCase();
    return (Method<?, ?>) Class.forName(service + "Client").getField(constant).get(null);
  }

  @SuppressWarnings("unchecked")
  CallOptions options() {
    CallOptions options = CallOptions.DEFAULT;
    if (has("timeout_ms")) {
      options = options.withTimeout(millis("timeout_ms"));
    }
    if (has("metadata")) {
      Metadata metadata = Metadata.EMPTY;
      for (Map.Entry<String, String> entry :
          ((Map<String, String>) line.get("metadata")).entrySet()) {
        String key = entry.getKey();
        metadata =
            key.endsWith("-bin")
                ? metadata.with(key, HexFormat.of().parseHex(entry.getValue()))
                : metadata.with(key, entry.getValue());
      }
      options = options.withMetadata(metadata);
    }
    if (has("key")) {
      options = options.withIdempotencyKey(text("key"));
    }
    if (has("token")) {
      options = options.withToken(text("token"));
    }
    if (has("traceparent")) {
      options = options.withTraceparent(text("traceparent"));
    }
    if (has("wait_for_ready")) {
      options = options.withWaitForReady(isTrue("wait_for_ready", true));
    }
    if (has("hedge_after_ms")) {
      options = options.withHedging(new Hedging(millis("hedge_after_ms"), number("copies", 2)));
    }
    return options;
  }
}
