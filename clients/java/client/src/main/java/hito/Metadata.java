package hito;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * What goes beside the messages of a call: text, or bytes under keys that end with {@code -bin}.
 *
 * <p>Values never change; {@link #with(String, String)} gives another one.
 */
public final class Metadata {
  /** Nothing. */
  public static final Metadata EMPTY = new Metadata(Collections.emptyMap());

  private static final int KEY_MAX = 64;

  // The bytes of each value, as they are sent.
  private final Map<String, ByteString> entries;

  private Metadata(Map<String, ByteString> entries) {
    this.entries = entries;
  }

  /** One entry of text. */
  public static Metadata of(String key, String value) {
    return EMPTY.with(key, value);
  }

  /**
   * The same with one entry of text more.
   *
   * @throws IllegalArgumentException where it may not be sent
   */
  public Metadata with(String key, String value) {
    if (key.endsWith("-bin")) {
      throw new IllegalArgumentException("metadata " + key + ": keys that end with -bin have bytes");
    }
    if (value.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("metadata " + key + " contains NUL");
    }
    return with(key, ByteString.copyFrom(Wire.utf8(value)));
  }

  /**
   * The same with one entry of bytes more; the key ends with {@code -bin}.
   *
   * @throws IllegalArgumentException where it may not be sent
   */
  public Metadata with(String key, byte[] value) {
    if (!key.endsWith("-bin")) {
      throw new IllegalArgumentException("metadata " + key + ": bytes need a key that ends with -bin");
    }
    return with(key, ByteString.copyFrom(value));
  }

  private Metadata with(String key, ByteString value) {
    boolean isAllowed = !key.isEmpty() && key.length() <= KEY_MAX;
    for (int i = 0; i < key.length() && isAllowed; i++) {
      char c = key.charAt(i);
      isAllowed = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || "_.-".indexOf(c) >= 0;
    }
    if (!isAllowed) {
      throw new IllegalArgumentException("metadata key '" + key + "': 1 to 64 of a-z 0-9 _ . -");
    }
    Metadata more = plus(key, value);
    if (more.entries.size() > Wire.METADATA_ENTRIES_MAX) {
      throw new IllegalArgumentException(
          "more than " + Wire.METADATA_ENTRIES_MAX + " metadata entries");
    }
    int total = 0;
    for (Map.Entry<String, ByteString> entry : more.entries.entrySet()) {
      total += entry.getKey().length() + entry.getValue().size();
    }
    if (total > Wire.METADATA_BYTES_MAX) {
      throw new IllegalArgumentException(
          "more than " + Wire.METADATA_BYTES_MAX + " bytes of metadata");
    }
    return more;
  }

  /** What a peer sent: it may be anything. The map is not changed any more. */
  static Metadata received(Map<String, ByteString> entries) {
    return entries.isEmpty() ? EMPTY : new Metadata(entries);
  }

  private Metadata plus(String key, ByteString value) {
    Map<String, ByteString> more = new LinkedHashMap<>(entries);
    more.put(key, value);
    return new Metadata(more);
  }

  /** The text under a key. */
  public Optional<String> get(String key) {
    return Optional.ofNullable(entries.get(key)).map(Metadata::text);
  }

  /** The bytes under a key. */
  public Optional<byte[]> getBytes(String key) {
    return Optional.ofNullable(entries.get(key)).map(ByteString::toByteArray);
  }

  /** All entries in their order; text comes as its bytes in UTF-8. */
  public void forEach(BiConsumer<String, ByteString> action) {
    entries.forEach(action);
  }

  /** Whether there is nothing. */
  public boolean isEmpty() {
    return entries.isEmpty();
  }

  boolean hasBytes() {
    return entries.keySet().stream().anyMatch(key -> key.endsWith("-bin"));
  }

  private static String text(ByteString value) {
    return new String(value.toByteArray(), StandardCharsets.UTF_8).replace('\0', '\uFFFD');
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Metadata metadata && metadata.entries.equals(entries);
  }

  @Override
  public int hashCode() {
    return entries.hashCode();
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("{");
    entries.forEach(
        (key, value) -> {
          text.append(text.length() > 1 ? ", " : "").append(key).append('=');
          text.append(key.endsWith("-bin") ? value.size() + " bytes" : text(value));
        });
    return text.append('}').toString();
  }
}
