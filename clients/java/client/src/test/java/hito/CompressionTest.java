package hito;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.Deflater;
import org.junit.Test;

/** Compressed messages (W6.9), and bombs. */
public class CompressionTest {
  private static byte[] packed(byte[] message, int size) {
    byte[] data = new byte[message.length + 100];
    Deflater deflater = new Deflater();
    deflater.setInput(message);
    deflater.finish();
    int count = deflater.deflate(data);
    deflater.end();
    return ByteBuffer.allocate(5 + count)
        .put((byte) 1)
        .putInt(size)
        .put(data, 0, count)
        .array();
  }

  private static void refused(byte[] packed, long max) {
    assertThrows(Compression.Refused.class, () -> Compression.unpack(packed, max));
  }

  @Test
  public void whatIsPackedIsUnpacked() throws Compression.Refused {
    byte[] message = new byte[50_000];
    Random random = new Random(1);
    for (int i = 0; i < message.length; i++) {
      message[i] = (byte) random.nextInt(8);
    }
    byte[] packed = Compression.pack(message);
    assertTrue(packed.length < message.length * 7 / 8);
    assertArrayEquals(message, Compression.unpack(packed, 1 << 20));
  }

  @Test
  public void whatGainsNothingIsNotPacked() {
    byte[] noise = new byte[10_000];
    new Random(2).nextBytes(noise);
    assertNull(Compression.pack(noise));
    assertNull("too small", Compression.pack(new byte[4095]));
    assertNull("the receiver would refuse it", Compression.pack(new byte[10 << 20]));
  }

  @Test
  public void whatIsNotWhatItSaysIsRefusedBeforeItTakesMemory() throws Compression.Refused {
    byte[] message = new byte[1000];
    assertEquals(1000, Compression.unpack(packed(message, 1000), 1000).length);
    refused(packed(message, 1000), 999);
    refused(packed(message, 999), 10_000);
    refused(packed(message, 1001), 10_000);
    refused(packed(message, 0), 10_000);
    refused(packed(message, -1), Integer.MAX_VALUE);
    refused(packed(new byte[8 << 20], 8 << 20), 64 << 20);
    byte[] other = packed(message, 1000);
    other[0] = 2;
    refused(other, 10_000);
    byte[] cut = packed(message, 1000);
    refused(Arrays.copyOf(cut, cut.length - 1), 10_000);
    refused(Arrays.copyOf(cut, cut.length + 1), 10_000);
    refused(Arrays.copyOf(cut, 5), 10_000);
  }
}
