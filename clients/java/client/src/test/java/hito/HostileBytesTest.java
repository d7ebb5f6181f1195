package hito;

import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.Test;

/** Whatever a peer sends is read, or refused as what breaks the protocol; nothing else comes of it. */
public class HostileBytesTest {
  private static final int ROUNDS = 30_000;

  private static List<byte[]> golden() throws IOException {
    List<byte[]> frames = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("Tests/Vectors/wire/frames.txt"))) {
      if (!line.startsWith("#")) {
        frames.add(HexFormat.of().parseHex(line.split(" ")[2]));
      }
    }
    return frames;
  }

  private static void read(byte[] bytes, int minorVersion) {
    FrameDecoder decoder = new FrameDecoder(Wire.FRAME_PAYLOAD_MIN);
    decoder.agreed(minorVersion);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    for (Frame frame = decoder.next(in); frame != null; frame = decoder.next(in)) {
      switch (frame.kind()) {
        case Wire.HELLO -> Hello.decode(frame.payload());
        case Wire.END -> End.decode(frame);
        case Wire.HEAD -> End.decodeHead(frame.payload());
        case Wire.GOAWAY -> GoAway.decode(frame.payload());
        default -> {
          // Nothing to be read in it.
        }
      }
    }
  }

  @Test
  public void mutatedFramesAreReadOrRefused() throws IOException {
    Random random = new Random(20240601);
    List<byte[]> golden = golden();
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] bytes = golden.get(random.nextInt(golden.size())).clone();
      for (int i = random.nextInt(4); i >= 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        read(bytes, round % 2);
      } catch (WireException error) {
        refused++;
      }
    }
    assertTrue("some of each", refused > ROUNDS / 10 && refused < ROUNDS);
  }

  @Test
  public void mutatedCompressionIsExpandedOrRefused() {
    Random random = new Random(1);
    byte[] packed = Compression.pack("a b c d e f g ".repeat(1000).getBytes());
    for (int round = 0; round < 3000; round++) {
      byte[] bytes = packed.clone();
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      try {
        assertTrue(Compression.unpack(bytes, 1 << 20).length <= 1 << 20);
      } catch (Compression.Refused error) {
        // As it should be.
      }
    }
  }
}
