package hito;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a server's END says (W7.2); {@code message} is null where it has none. */
final class End {
  int status;
  String text = "";
  byte[] details = {};
  String resumeCursor = "";
  private final Map<String, ByteString> trailers = new LinkedHashMap<>();
  /** In microseconds; negative where it is not known. */
  long serverMicros = -1;
  boolean notStarted;
  byte[] message;

  /** An END; bad text never hides the status (W3.4). */
  static End decode(Frame frame) {
    End end = new End();
    boolean[] seen = new boolean[9];
    int rest =
        Wire.readBlock(
            frame.payload(),
            (tag, value) -> {
              if (tag < 1 || tag >= seen.length || tag == 5) {
                return;
              }
              if (seen[tag] && tag != 6) {
                throw WireException.protocol("END has field " + tag + " twice");
              }
              seen[tag] = true;
              end.take(tag, value);
            });
    if (frame.has(Wire.FLAG_HAS_MESSAGE)) {
      end.message = Arrays.copyOfRange(frame.payload(), rest, frame.payload().length);
    } else if (rest != frame.payload().length) {
      throw WireException.protocol("bytes after the block of END");
    }
    return end;
  }

  Metadata trailers() {
    return Metadata.received(trailers);
  }

  private void take(int tag, ByteBuffer value) {
    switch (tag) {
      case 1 -> status = (int) Wire.number(value, 2);
      case 2 -> text = Wire.lenientText(value);
      case 3 -> details = Wire.bytes(value);
      case 4 -> resumeCursor = Wire.lenientText(value);
      case 6 -> Wire.readEntry(value, trailers);
      case 7 -> serverMicros = Wire.number(value, 8);
      case 8 -> {
        if (value.hasRemaining()) {
          throw WireException.protocol("END's field 8 carries bytes");
        }
        notStarted = true;
      }
      default -> {
        // Of a later minor version.
      }
    }
  }

  /** A server's HEAD (W7.7): metadata before the first message of a call. */
  static Metadata decodeHead(byte[] payload) {
    Map<String, ByteString> metadata = new LinkedHashMap<>();
    int end =
        Wire.readBlock(
            payload,
            (tag, value) -> {
              if (tag == 6) {
                Wire.readEntry(value, metadata);
              }
            });
    if (end != payload.length) {
      throw WireException.protocol("bytes after the block of HEAD");
    }
    return Metadata.received(metadata);
  }
}
