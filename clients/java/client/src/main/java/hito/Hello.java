package hito;

import java.nio.ByteBuffer;

/** What a side says of itself (W4.2); the values are those of absent fields until they are set. */
final class Hello {
  int minorVersion;
  String agent = "";
  int framePayloadMax = 16384;
  long messageMax = 4 << 20;
  long callsMax = 100;
  long streamCredit = 256 << 10;
  long connectionCredit = 1 << 20;
  String token = "";
  long pingIntervalMillis = 10_000;
  String serverId = "";
  byte[] encodings = {};

  /** The payload of a client's HELLO. */
  byte[] encoded() {
    Wire.BlockWriter block =
        new Wire.BlockWriter()
            .put16(1, minorVersion)
            .put(2, Wire.utf8(agent, Wire.AGENT_MAX))
            .put32(3, framePayloadMax)
            .put32(4, (int) messageMax)
            .put32(6, (int) streamCredit)
            .put32(7, (int) connectionCredit);
    if (encodings.length > 0) {
      block.put(11, encodings);
    }
    if (!token.isEmpty()) {
      block.put(8, Wire.utf8(Wire.checked("token", token, Wire.TOKEN_MAX)));
    }
    return block.block();
  }

  /** A server's HELLO, checked (W4.4). */
  static Hello decode(byte[] payload) {
    Hello hello = new Hello();
    boolean[] seen = new boolean[12];
    int end =
        Wire.readBlock(
            payload,
            (tag, value) -> {
              if (tag < 1 || tag == 8 || tag >= seen.length) {
                return;
              }
              if (seen[tag]) {
                throw WireException.protocol("HELLO has field " + tag + " twice");
              }
              seen[tag] = true;
              hello.take(tag, value);
            });
    if (end != payload.length) {
      throw WireException.protocol("bytes after the block of HELLO");
    }
    hello.check();
    return hello;
  }

  private void take(int tag, ByteBuffer value) {
    switch (tag) {
      case 1 -> minorVersion = (int) Wire.number(value, 2);
      case 2 -> agent = Wire.strictText(value, Wire.AGENT_MAX);
      case 3 -> framePayloadMax = (int) Math.min(Integer.MAX_VALUE, Wire.number(value, 4));
      case 4 -> messageMax = Wire.number(value, 4);
      case 5 -> callsMax = Wire.number(value, 4);
      case 6 -> streamCredit = Wire.number(value, 4);
      case 7 -> connectionCredit = Wire.number(value, 4);
      case 9 -> pingIntervalMillis = Wire.number(value, 4);
      case 10 -> serverId = Wire.strictText(value, Wire.AGENT_MAX);
      case 11 -> {
        if (value.remaining() > Wire.ENCODINGS_MAX) {
          throw WireException.protocol("HELLO lists too many encodings");
        }
        encodings = Wire.bytes(value);
      }
      default -> {
        // Of a later minor version.
      }
    }
  }

  private void check() {
    if (framePayloadMax < Wire.FRAME_PAYLOAD_MIN
        || framePayloadMax > Wire.FRAME_PAYLOAD_MAX
        || messageMax < Wire.MESSAGE_MIN
        || Math.max(streamCredit, connectionCredit) > Wire.CREDIT_MAX) {
      throw WireException.protocol("a limit in HELLO is out of its range");
    }
  }

  boolean reads(int encoding) {
    for (byte listed : encodings) {
      if (listed == encoding) {
        return true;
      }
    }
    return false;
  }
}
