package hito;

import java.nio.ByteBuffer;

/** A peer takes no more calls (W11.1). */
record GoAway(long lastStream, int reason, String text) {
  private static final int HEAD_SIZE = 6;

  byte[] encoded() {
    byte[] bytes = Wire.utf8(text, Wire.GOAWAY_TEXT_MAX);
    return ByteBuffer.allocate(HEAD_SIZE + bytes.length)
        .putInt((int) lastStream)
        .putShort((short) reason)
        .put(bytes)
        .array();
  }

  static GoAway decode(byte[] payload) {
    if (payload.length < HEAD_SIZE) {
      throw WireException.protocol("short GOAWAY");
    }
    ByteBuffer in = ByteBuffer.wrap(payload);
    long lastStream = Integer.toUnsignedLong(in.getInt());
    int reason = Short.toUnsignedInt(in.getShort());
    in.limit(Math.min(payload.length, HEAD_SIZE + Wire.GOAWAY_TEXT_MAX));
    return new GoAway(
        lastStream, reason > Wire.MAX_AGE ? Wire.INTERNAL : reason, Wire.lenientText(in));
  }

  boolean isDrain() {
    return reason == Wire.NO_ERROR || reason == Wire.IDLE || reason == Wire.MAX_AGE;
  }

  String why() {
    return text.isEmpty() ? "reason " + reason : text;
  }
}
