package hito;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Frames and blocks of {@code hito/1} as bytes. Pure: no sockets, no clocks. The clause numbers
 * (W2.1) are those of Protos/PROTOCOL.md.
 */
final class Wire {
  static final int HELLO = 1;
  static final int CALL = 2;
  static final int MESSAGE = 3;
  static final int END = 4;
  static final int CANCEL = 5;
  static final int CREDIT = 6;
  static final int PING = 7;
  static final int PONG = 8;
  static final int GOAWAY = 9;
  static final int HEAD = 10;

  static final int MINOR_VERSION = 1;

  static final int FLAG_END = 0x01;
  static final int FLAG_MORE = 0x02;
  static final int FLAG_HAS_MESSAGE = 0x04;
  static final int FLAG_COMPRESSED = 0x08;

  static final int HEADER_SIZE = 10;
  static final int HELLO_PAYLOAD_MAX = 8192;
  static final int FRAME_PAYLOAD_MIN = 16384;
  static final int FRAME_PAYLOAD_MAX = 1 << 20;
  static final int MESSAGE_MIN = 16384;
  static final int CREDIT_MAX = Integer.MAX_VALUE;
  static final int FRAGMENT_MIN = 1024;
  static final int STREAM_ID_MAX = Integer.MAX_VALUE;
  static final int METADATA_ENTRIES_MAX = 64;
  static final int METADATA_BYTES_MAX = 8192;
  static final int ENCODINGS_MAX = 16;
  static final int PATH_MAX = 256;
  static final int TOKEN_MAX = 256;
  static final int KEY_MAX = 128;
  static final int AGENT_MAX = 128;
  static final int GOAWAY_TEXT_MAX = 512;

  // GOAWAY reasons (W11.2).
  static final int NO_ERROR = 0;
  static final int PROTOCOL_ERROR = 1;
  static final int FRAME_TOO_LARGE = 2;
  static final int FLOW_CONTROL = 3;
  static final int INTERNAL = 7;
  static final int IDLE = 8;
  static final int MAX_AGE = 9;

  private Wire() {}

  /** A whole frame. */
  static byte[] frame(int kind, int flags, int stream, byte[] payload) {
    return frame(kind, flags, stream, payload, payload, 0, 0);
  }

  /** A whole frame whose payload is a block and a part of a message. */
  static byte[] frame(
      int kind, int flags, int stream, byte[] block, byte[] message, int from, int length) {
    byte[] frame = new byte[HEADER_SIZE + block.length + length];
    ByteBuffer out = ByteBuffer.wrap(frame);
    out.putInt(block.length + length).put((byte) kind).put((byte) flags).putInt(stream);
    out.put(block).put(message, from, length);
    return frame;
  }

  /** Collects the fields of a block (W3.1). */
  static final class BlockWriter {
    private final ByteArrayOutputStream fields = new ByteArrayOutputStream(128);

    BlockWriter put(int tag, byte[] value) {
      fields.write(tag);
      fields.write(value.length >> 8);
      fields.write(value.length);
      fields.writeBytes(value);
      return this;
    }

    BlockWriter put16(int tag, int value) {
      return put(tag, new byte[] {(byte) (value >> 8), (byte) value});
    }

    BlockWriter put32(int tag, int value) {
      return put(tag, bytes32(value));
    }

    BlockWriter put64(int tag, long value) {
      return put(tag, ByteBuffer.allocate(8).putLong(value).array());
    }

    byte[] block() {
      int size = fields.size();
      return ByteBuffer.allocate(2 + size)
          .putShort((short) size)
          .put(fields.toByteArray())
          .array();
    }
  }

  static byte[] bytes32(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  /**
   * Gives each field of the block at the start of a payload; returns where what follows it begins.
   */
  static int readBlock(byte[] payload, BiConsumer<Integer, ByteBuffer> field) {
    if (payload.length < 2) {
      throw WireException.protocol("block without length");
    }
    ByteBuffer in = ByteBuffer.wrap(payload);
    int end = 2 + Short.toUnsignedInt(in.getShort());
    if (end > payload.length) {
      throw WireException.protocol("block runs past its frame");
    }
    in.limit(end);
    while (in.hasRemaining()) {
      if (in.remaining() < 3) {
        throw WireException.protocol("field runs past its block");
      }
      int tag = Byte.toUnsignedInt(in.get());
      int length = Short.toUnsignedInt(in.getShort());
      if (length > in.remaining()) {
        throw WireException.protocol("field runs past its block");
      }
      field.accept(tag, in.slice(in.position(), length));
      in.position(in.position() + length);
    }
    return end;
  }

  static long number(ByteBuffer value, int width) {
    if (value.remaining() != width) {
      throw WireException.protocol("a number of a wrong width");
    }
    long number = 0;
    while (value.hasRemaining()) {
      number = number << 8 | Byte.toUnsignedLong(value.get());
    }
    return number;
  }

  static byte[] bytes(ByteBuffer value) {
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    return bytes;
  }

  /** Text that must be as it should (W3.4). */
  static String strictText(ByteBuffer value, int max) {
    if (value.remaining() <= max) {
      try {
        String text = StandardCharsets.UTF_8.newDecoder().decode(value).toString();
        if (text.indexOf('\0') < 0) {
          return text;
        }
      } catch (CharacterCodingException error) {
        // Refused below.
      }
    }
    throw WireException.protocol("text that is not allowed");
  }

  /** Text of which what is not allowed is replaced (W3.4). */
  static String lenientText(ByteBuffer value) {
    return StandardCharsets.UTF_8.decode(value).toString().replace('\0', '\uFFFD');
  }

  /** Text that a caller wants to send; IllegalArgumentException where it may not be sent. */
  static String checked(String what, String text, int max) {
    byte[] bytes = utf8(text);
    if (bytes.length < 1 || bytes.length > max || text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          what + ": 1 to " + max + " bytes of UTF-8 without NUL");
    }
    return text;
  }

  /** The bytes of text; IllegalArgumentException where it is not Unicode. */
  static byte[] utf8(String text) {
    try {
      ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      return bytes(bytes);
    } catch (CharacterCodingException error) {
      throw new IllegalArgumentException("text that is not Unicode", error);
    }
  }

  /** The first bytes of text, so many at most, without half a character. */
  static byte[] utf8(String text, int max) {
    byte[] bytes = text.replace('\0', ' ').getBytes(StandardCharsets.UTF_8);
    int size = Math.min(bytes.length, max);
    while (size < bytes.length && size > 0 && (bytes[size] & 0xC0) == 0x80) {
      size--;
    }
    return Arrays.copyOf(bytes, size);
  }

  /** One entry of metadata (W5.3). */
  static byte[] metadataEntry(String key, ByteString value) {
    byte[] entry = new byte[1 + key.length() + value.size()];
    entry[0] = (byte) key.length();
    System.arraycopy(key.getBytes(StandardCharsets.US_ASCII), 0, entry, 1, key.length());
    value.copyTo(entry, 1 + key.length());
    return entry;
  }

  /** Takes an entry that the peer sent. */
  static void readEntry(ByteBuffer entry, Map<String, ByteString> metadata) {
    int keyLength = entry.hasRemaining() ? Byte.toUnsignedInt(entry.get()) : Integer.MAX_VALUE;
    if (keyLength > entry.remaining()) {
      throw WireException.protocol("metadata runs past its field");
    }
    String key = lenientText(entry.slice(entry.position(), keyLength));
    entry.position(entry.position() + keyLength);
    metadata.put(key, ByteString.copyFrom(entry));
  }
}
