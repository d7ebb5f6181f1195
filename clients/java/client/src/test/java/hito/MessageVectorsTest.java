package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.Test;

/** The golden messages: Java's protobuf reads them as all others do. */
public class MessageVectorsTest {
  private static final Pattern VECTOR =
      Pattern.compile(
          "\"name\": \"([^\"]*)\",\\s*\"type\": \"([^\"]*)\",\\s*\"bytes\": \"([^\"]*)\""
              + "(?:,\\s*\"reencoded\": \"([^\"]*)\")?(,\\s*\"lossy\": true)?"
              + "(?:,\\s*\"reason\": \"([^\"]*)\")?");

  private static Map<String, Descriptor> types()
      throws IOException, DescriptorValidationException {
    Path file = Path.of("Tests/Fixtures/descriptors/everything.binpb");
    FileDescriptorSet set = FileDescriptorSet.parseFrom(Files.readAllBytes(file));
    Map<String, FileDescriptor> files = new HashMap<>();
    Map<String, Descriptor> types = new HashMap<>();
    for (FileDescriptorProto proto : set.getFileList()) {
      FileDescriptor[] needed =
          proto.getDependencyList().stream().map(files::get).toArray(FileDescriptor[]::new);
      FileDescriptor built = FileDescriptor.buildFrom(proto, needed);
      files.put(proto.getName(), built);
      built.getMessageTypes().forEach(type -> types.put(type.getFullName(), type));
    }
    return types;
  }

  private static DynamicMessage parse(Descriptor type, String bytes)
      throws InvalidProtocolBufferException {
    return DynamicMessage.parseFrom(type, HexFormat.of().parseHex(bytes));
  }

  /** Whether a message is what is said of it. */
  private static void check(Descriptor type, Matcher vector)
      throws InvalidProtocolBufferException {
    String name = vector.group(1);
    if (vector.group(6) != null) {
      // What else Hito refuses is for its own reasons: Java's protobuf takes it.
      if (vector.group(6).equals("truncated") || vector.group(6).equals("text is not UTF-8")) {
        assertThrows(
            name, InvalidProtocolBufferException.class, () -> parse(type, vector.group(3)));
      }
      return;
    }
    DynamicMessage message = parse(type, vector.group(3));
    boolean isSame = vector.group(4) == null;
    if (isSame) {
      assertEquals(name, message, parse(type, HexFormat.of().formatHex(message.toByteArray())));
    } else if (vector.group(5) == null) {
      // A server drops what it does not know.
      DynamicMessage known =
          message.toBuilder().setUnknownFields(UnknownFieldSet.getDefaultInstance()).build();
      assertEquals(name, parse(type, vector.group(4)), known);
    }
    if (isSame && !type.getFullName().endsWith(".Maps")) {
      assertEquals(name, vector.group(3), HexFormat.of().formatHex(message.toByteArray()));
    }
  }

  @Test
  public void messagesAreReadAndWrittenAsByAllOthers() throws Exception {
    Map<String, Descriptor> types = types();
    String all = Files.readString(Path.of("Tests/Vectors/messages/vectors.json"));
    Matcher vector = VECTOR.matcher(all);
    int count = 0;
    while (vector.find()) {
      Descriptor type = types.get(vector.group(2));
      // Java's protobuf 3.21 reads a 1 in ten bytes as another number: theirs to mend.
      if (type != null && !vector.group(1).equals("longer varints than needed")) {
        try {
          check(type, vector);
        } catch (InvalidProtocolBufferException error) {
          throw new AssertionError(vector.group(1), error);
        }
        count++;
      }
    }
    assertTrue("only " + count + " vectors", count > 200);
  }
}
