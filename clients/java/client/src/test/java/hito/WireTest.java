package hito;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** The golden frames: what a client sends is written, what a server sends is read. */
public class WireTest {
  private static final byte[] NOTHING = {};

  private static Map<String, byte[]> golden(String sender) throws IOException {
    Map<String, byte[]> frames = new LinkedHashMap<>();
    for (String line : Files.readAllLines(Path.of("Tests/Vectors/wire/frames.txt"))) {
      String[] words = line.split(" ");
      if (!line.startsWith("#") && words[1].equals(sender)) {
        frames.put(words[0], HexFormat.of().parseHex(words[2]));
      }
    }
    return frames;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  public void whatAClientSendsIsAsTheGoldenFrames() throws IOException {
    Map<String, byte[]> made = new LinkedHashMap<>();
    Hello hello = new Hello();
    hello.agent = "test";
    hello.token = "secret";
    made.put("hello-client", Wire.frame(Wire.HELLO, 0, 0, hello.encoded()));
    made.put("hello-empty", Wire.frame(Wire.HELLO, 0, 0, new Wire.BlockWriter().block()));
    String path = "hito.v1.GoalService/CreateGoal";
    byte[] abc = utf8("abc");
    byte[] goal = utf8("\n\3abc");
    CallHeader unary =
        new CallHeader(path, 30_000_000_000L, "key-1", null, null, Metadata.EMPTY);
    int ends = Wire.FLAG_END | Wire.FLAG_HAS_MESSAGE;
    made.put("call-unary", Wire.frame(Wire.CALL, ends, 1, unary.encoded(), goal, 0, 5));
    String trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Metadata metadata = Metadata.of("a", "1").with("b", "ñ");
    CallHeader all = new CallHeader(path, 1000, "k", trace, "token", metadata);
    byte[] allFrame =
        Wire.frame(Wire.CALL, Wire.FLAG_HAS_MESSAGE, 3, all.encoded(), utf8("x"), 0, 1);
    made.put("call-all-fields", allFrame);
    byte[] plain = new CallHeader(path, -1, null, null, null, Metadata.EMPTY).encoded();
    made.put("call-no-message", Wire.frame(Wire.CALL, 0, 5, plain));
    int more = Wire.FLAG_MORE | Wire.FLAG_HAS_MESSAGE;
    made.put("call-first-fragment", Wire.frame(Wire.CALL, more, 7, plain, abc, 0, 3));
    byte[] fragment = Wire.frame(Wire.MESSAGE, Wire.FLAG_MORE, 7, utf8("def"));
    made.put("message-fragment", fragment);
    made.put("message-last", Wire.frame(Wire.MESSAGE, Wire.FLAG_END, 7, utf8("ghi")));
    made.put("half-close", Wire.frame(Wire.END, 0, 3, NOTHING));
    made.put("cancel", Wire.frame(Wire.CANCEL, 0, 5, NOTHING));
    made.put("credit-connection", Wire.frame(Wire.CREDIT, 0, 0, Wire.bytes32(262144)));
    made.put("ping", Wire.frame(Wire.PING, 0, 0, new byte[] {1, 2, 3, 4, 5, 6, 7, 8}));
    Map<String, byte[]> golden = golden("client");
    assertEquals(golden.keySet().stream().sorted().toList(), made.keySet().stream().sorted().toList());
    golden.forEach(
        (name, bytes) ->
            assertEquals(name, HexFormat.of().formatHex(bytes), HexFormat.of().formatHex(made.get(name))));
  }

  private static List<Frame> decode(byte[] bytes, int piece) {
    FrameDecoder decoder = new FrameDecoder(Wire.FRAME_PAYLOAD_MIN);
    List<Frame> frames = new ArrayList<>();
    for (int from = 0; from < bytes.length; from += piece) {
      ByteBuffer in = ByteBuffer.wrap(bytes, from, Math.min(piece, bytes.length - from));
      for (Frame frame = decoder.next(in); frame != null; frame = decoder.next(in)) {
        frames.add(frame);
      }
    }
    return frames;
  }

  @Test
  public void whatAServerSendsIsReadHoweverItIsCut() throws IOException {
    for (Map.Entry<String, byte[]> entry : golden("server").entrySet()) {
      for (int piece : new int[] {1, 3, 1000}) {
        List<Frame> frames = decode(entry.getValue(), piece);
        assertEquals(entry.getKey(), 1, frames.size());
        Frame frame = frames.get(0);
        assertArrayEquals(
            entry.getValue(),
            Wire.frame(frame.kind(), frame.flags(), frame.stream(), frame.payload()));
      }
    }
  }

  @Test
  public void theServersHelloAndEndsSayWhatTheyShould() throws IOException {
    Map<String, byte[]> golden = golden("server");
    Hello hello = Hello.decode(decode(golden.get("hello-server"), 1000).get(0).payload());
    assertEquals("test", hello.agent);
    assertEquals(100, hello.callsMax);
    assertEquals(10_000, hello.pingIntervalMillis);
    assertEquals("hito", hello.serverId);
    End ok = End.decode(decode(golden.get("end-ok"), 1000).get(0));
    assertEquals(0, ok.status);
    assertEquals(1234, ok.serverMicros);
    assertArrayEquals(utf8("\n\3abc"), ok.message);
    End error = End.decode(decode(golden.get("end-error"), 1000).get(0));
    assertEquals(5, error.status);
    assertEquals("no such goal", error.text);
    assertEquals("cursor-9", error.resumeCursor);
    assertEquals(Metadata.of("retry", "no"), error.trailers());
    assertNull(error.message);
    GoAway first = GoAway.decode(decode(golden.get("goaway-first"), 1000).get(0).payload());
    assertTrue(first.isDrain());
    assertEquals("draining", first.text());
  }

  @Test
  public void whatNoServerMaySendIsRefusedBeforeItIsWaitedFor() {
    String[] broken = {
      "ffffffff0300" + "00000001", "000020010100" + "00000000", "000000000300" + "00000002",
      "000000000304" + "00000001", "000000000200" + "00000001", "000000030600" + "00000001",
      "000000000302" + "00000001", "000000000a00" + "00000001", "000000000000" + "00000000",
    };
    for (String frame : broken) {
      assertThrows(
          frame, WireException.class, () -> decode(HexFormat.of().parseHex(frame), 1000));
    }
  }

  @Test
  public void bytesUnderKeysOfTextAreRefusedAndSoIsTooMuch() {
    assertThrows(IllegalArgumentException.class, () -> Metadata.of("Key", "x"));
    assertThrows(IllegalArgumentException.class, () -> Metadata.of("a-bin", "x"));
    assertThrows(IllegalArgumentException.class, () -> Metadata.EMPTY.with("a", NOTHING));
    assertThrows(IllegalArgumentException.class, () -> Metadata.of("a", "x".repeat(8192)));
    assertThrows(IllegalArgumentException.class, () -> Metadata.of("a", "\0"));
    assertThrows(
        IllegalArgumentException.class, () -> CallOptions.DEFAULT.withToken("x".repeat(257)));
  }
}
