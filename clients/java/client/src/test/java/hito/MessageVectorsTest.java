package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.TextFormat;
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
          "\\{\\s*\"name\": \"([^\"]*)\",\\s*\"type\": \"([^\"]*)\",\\s*\"bytes\": \"([^\"]*)\","
              + "\\s*\"text\": \"((?:[^\"\\\\]++|\\\\.)*+)\"(,\\s*\"(?:lossy|reencoded)\")?");

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

  @Test
  public void messagesAreReadAsTheirTextAndWrittenAgain() throws Exception {
    Map<String, Descriptor> types = types();
    String all = Files.readString(Path.of("Tests/Vectors/messages/vectors.json"));
    Matcher vector = VECTOR.matcher(all);
    int count = 0;
    while (vector.find()) {
      String name = vector.group(1);
      Descriptor type = types.get(vector.group(2));
      if (type == null) {
        continue;
      }
      DynamicMessage message;
      try {
        message = DynamicMessage.parseFrom(type, HexFormat.of().parseHex(vector.group(3)));
      } catch (InvalidProtocolBufferException error) {
        throw new AssertionError(name, error);
      }
      String text = unescaped(vector.group(4));
      if (text.contains("bytes_value: \"\\000\\001")) {
        // All bytes, of which the text has one as it is that should be escaped: its length is enough.
        assertEquals(name, vector.group(3).length() / 2, message.toByteString().size());
        continue;
      }
      DynamicMessage.Builder said = DynamicMessage.newBuilder(type);
      TextFormat.merge(text, said);
      DynamicMessage wanted = said.build();
      // Unknown fields are not in the text.
      DynamicMessage known = DynamicMessage.parseFrom(type, without(message).toByteString());
      assertEquals(name, wanted.toByteString(), known.toByteString());
      count++;
    }
    assertTrue("only " + count + " vectors", count > 50);
  }

  private static DynamicMessage without(DynamicMessage message) {
    return message.toBuilder()
        .setUnknownFields(com.google.protobuf.UnknownFieldSet.getDefaultInstance())
        .build();
  }

  private static String unescaped(String text) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      c = text.charAt(++i);
      switch (c) {
        case 'n' -> out.append('\n');
        case 't' -> out.append('\t');
        case 'r' -> out.append('\r');
        case 'u' -> {
          out.append((char) Integer.parseInt(text.substring(i + 1, i + 5), 16));
          i += 4;
        }
        default -> out.append(c);
      }
    }
    return out.toString();
  }
}
