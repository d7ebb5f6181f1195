package hito;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Messages as they go compressed over the wire (W6.9): encoding, size, data. Pure. */
final class Compression {
  static final int DEFLATE = 1;

  // Below this a message is sent as it is: what is gained is a packet at most.
  private static final int SIZE_MIN = 4096;
  private static final int HEAD_SIZE = 5;

  private Compression() {}

  /** A compressed message that is not what it says, or more than it may be. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1;

    Refused(String text) {
      super(text, null, false, false);
    }
  }

  /** A message compressed; null where that is not worth it, or the receiver would refuse it. */
  static byte[] pack(byte[] message) {
    if (message.length < SIZE_MIN) {
      return null;
    }
    // What does not fit here is not worth it.
    byte[] packed = new byte[HEAD_SIZE + message.length - message.length / 8];
    // Fast rather than small: a caller waits.
    Deflater deflater = new Deflater(Deflater.BEST_SPEED);
    try {
      deflater.setInput(message);
      deflater.finish();
      int size = deflater.deflate(packed, HEAD_SIZE, packed.length - HEAD_SIZE);
      if (!deflater.finished() || message.length > sizeMax(size)) {
        return null;
      }
      ByteBuffer.wrap(packed).put((byte) DEFLATE).putInt(message.length);
      return Arrays.copyOf(packed, HEAD_SIZE + size);
    } finally {
      deflater.end();
    }
  }

  /**
   * What a message is of. No more memory is used than its size says, and that is held to its limits
   * first.
   */
  static byte[] unpack(byte[] packed, long sizeMax) throws Refused {
    if (packed.length <= HEAD_SIZE) {
      throw new Refused("a compressed message without data");
    }
    ByteBuffer head = ByteBuffer.wrap(packed);
    int encoding = head.get();
    long size = Integer.toUnsignedLong(head.getInt());
    int dataSize = packed.length - HEAD_SIZE;
    if (encoding != DEFLATE || size == 0) {
      throw new Refused("a compressed message of no known encoding or of no bytes");
    }
    if (size > sizeMax) {
      throw new Refused("a message larger than " + sizeMax + " bytes");
    }
    if (size > sizeMax(dataSize)) {
      throw new Refused("a message that is more than 64 times what it is compressed to");
    }
    return expand(packed, dataSize, (int) size);
  }

  private static byte[] expand(byte[] packed, int dataSize, int size) throws Refused {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(packed, HEAD_SIZE, dataSize);
      byte[] message = new byte[size];
      int count = 0;
      while (count < size) {
        int more = inflater.inflate(message, count, size - count);
        if (more == 0) {
          break;
        }
        count += more;
      }
      // What is more than it says, and the checksum, come out only when more is asked for.
      int excess = inflater.finished() ? 0 : inflater.inflate(new byte[1]);
      if (count != size || excess != 0 || !inflater.finished() || inflater.getRemaining() > 0) {
        throw new Refused("a compressed message that does not expand to its size");
      }
      return message;
    } catch (DataFormatException error) {
      throw new Refused("a compressed message that does not expand: " + error.getMessage());
    } finally {
      inflater.end();
    }
  }

  private static long sizeMax(int dataSize) {
    return 65536 + 64L * dataSize;
  }
}
