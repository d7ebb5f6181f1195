package hito;

/**
 * What a CALL says besides its message (W5.2).
 *
 * @param timeoutNanos negative for none
 * @param key null, as token and traceparent, for none
 */
record CallHeader(
    String path,
    long timeoutNanos,
    String key,
    String traceparent,
    String token,
    Metadata metadata) {
  static final long NO_TIMEOUT = -1;

  /** The block of a CALL. IllegalArgumentException where the caller's texts are not allowed. */
  byte[] encoded() {
    Wire.BlockWriter block = new Wire.BlockWriter();
    block.put(1, Wire.utf8(Wire.checked("method path", path, Wire.PATH_MAX)));
    if (timeoutNanos != NO_TIMEOUT) {
      block.put64(2, timeoutNanos / 1000);
    }
    if (key != null) {
      block.put(3, Wire.utf8(key));
    }
    if (traceparent != null) {
      block.put(4, Wire.utf8(traceparent));
    }
    if (token != null) {
      block.put(5, Wire.utf8(token));
    }
    metadata.forEach((name, value) -> block.put(6, Wire.metadataEntry(name, value)));
    return block.block();
  }
}
