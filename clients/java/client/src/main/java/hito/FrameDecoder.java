package hito;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Cuts a stream of bytes into the frames that a server may send. Buffers no more than one payload
 * of a length that was checked.
 */
final class FrameDecoder {
  private static final int NOT_ALLOWED = -1;
  private static final int PIECE = 16384;

  private final int payloadMax;
  private final byte[] headerBytes = new byte[Wire.HEADER_SIZE];
  private final ByteBuffer header = ByteBuffer.wrap(headerBytes);
  // Of the frame whose header is whole. Grows with what arrives, not with what is promised.
  private byte[] payload;
  private int payloadSize;
  private int length;
  private int minorVersion;

  FrameDecoder(int payloadMax) {
    this.payloadMax = payloadMax;
  }

  /** Both sides speak this minor version. */
  void agreed(int minorVersion) {
    this.minorVersion = minorVersion;
  }

  /** The next frame of what arrived; null where more is needed. */
  Frame next(ByteBuffer in) {
    if (payload == null) {
      while (header.hasRemaining() && in.hasRemaining()) {
        header.put(in.get());
      }
      if (header.hasRemaining()) {
        return null;
      }
      length = header.getInt(0);
      check(kind(), flags(), stream());
      payload = new byte[Math.min(length, PIECE)];
      payloadSize = 0;
    }
    while (payloadSize < length && in.hasRemaining()) {
      if (payloadSize == payload.length) {
        payload = Arrays.copyOf(payload, Math.min(length, payload.length * 2));
      }
      int count = Math.min(in.remaining(), payload.length - payloadSize);
      in.get(payload, payloadSize, count);
      payloadSize += count;
    }
    if (payloadSize < length) {
      return null;
    }
    Frame frame = new Frame(kind(), flags(), stream(), payload);
    payload = null;
    header.clear();
    return frame;
  }

  private int kind() {
    return Byte.toUnsignedInt(headerBytes[4]);
  }

  private int flags() {
    return Byte.toUnsignedInt(headerBytes[5]);
  }

  private int stream() {
    return header.getInt(6);
  }

  /** Before the payload is waited for: nothing that is too long is ever buffered. */
  private void check(int kind, int flags, int stream) {
    long size = Integer.toUnsignedLong(length);
    if (size > (kind == Wire.HELLO ? Wire.HELLO_PAYLOAD_MAX : payloadMax)) {
      throw new WireException(Wire.FRAME_TOO_LARGE, "frame of " + size + " bytes");
    }
    int allowed = allowedFlags(kind);
    boolean compressedAlone = kind == Wire.END && flags == Wire.FLAG_COMPRESSED;
    if (allowed == NOT_ALLOWED || (flags & ~allowed) != 0 || compressedAlone) {
      throw WireException.protocol("frame kind " + kind + " with flags " + flags);
    }
    boolean isOfConnection =
        kind == Wire.HELLO || kind == Wire.PING || kind == Wire.PONG || kind == Wire.GOAWAY;
    boolean onConnection = stream == 0 && (isOfConnection || kind == Wire.CREDIT);
    boolean onCall = stream > 0 && stream % 2 == 1 && !isOfConnection;
    if (!onConnection && !onCall) {
      throw WireException.protocol(
          "frame kind " + kind + " on stream " + Integer.toUnsignedLong(stream));
    }
    int fixed = kind == Wire.CREDIT ? 4 : kind == Wire.PING || kind == Wire.PONG ? 8 : length;
    boolean isEmptyFragment =
        kind == Wire.MESSAGE && (flags & Wire.FLAG_MORE) != 0 && length == 0;
    if (length != fixed || isEmptyFragment) {
      throw WireException.protocol("frame kind " + kind + " of " + length + " bytes");
    }
  }

  /** What a server may send (W2.3, W2.4). */
  private int allowedFlags(int kind) {
    int compressed = minorVersion >= 1 ? Wire.FLAG_COMPRESSED : 0;
    return switch (kind) {
      case Wire.HELLO, Wire.CREDIT, Wire.PING, Wire.PONG, Wire.GOAWAY -> 0;
      case Wire.MESSAGE -> Wire.FLAG_MORE | compressed;
      case Wire.END -> Wire.FLAG_HAS_MESSAGE | compressed;
      case Wire.HEAD -> minorVersion >= 1 ? 0 : NOT_ALLOWED;
      default -> NOT_ALLOWED;
    };
  }
}
