package hito.e2e;

import hito.Client;
import hito.ClientBuilder;
import hito.HitoException;
import hito.v1.Goals.CreateGoalRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** The server under which scenarios run, and what they have in common. */
class Setting {
  final String address;
  final Path authority;
  final Path otherAuthority;
  final String token;
  final Path certificate;
  final Path key;
  private final BufferedReader answers =
      new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

  Setting(Map<String, String> given) {
    address = given.get("HITO_ADDRESS");
    authority = Path.of(given.get("HITO_CA"));
    otherAuthority = Path.of(given.get("HITO_OTHER_CA"));
    token = given.get("HITO_TOKEN");
    certificate = Path.of(given.get("HITO_CLIENT_CERTIFICATE"));
    key = Path.of(given.get("HITO_CLIENT_KEY"));
  }

  ClientBuilder builder() {
    return Client.builder(address).caFile(authority).token(token).certificate(certificate, key);
  }

  static void expect(boolean isTrue, String what) {
    if (!isTrue) {
      throw new AssertionError(what);
    }
  }

  static <E extends HitoException> E fails(Class<E> kind, Runnable call) {
    try {
      call.run();
    } catch (HitoException error) {
      expect(kind.isInstance(error), "expected " + kind.getSimpleName() + ", got " + error);
      return kind.cast(error);
    }
    throw new AssertionError("expected " + kind.getSimpleName() + ", and it went well");
  }

  /** Asks the driver for something and waits until it is done. */
  void ask(String what) throws IOException {
    System.out.println("ask " + what);
    System.out.flush();
    expect("done".equals(answers.readLine()), "the driver did not do: " + what);
  }

  static CreateGoalRequest goal(String title) {
    return CreateGoalRequest.newBuilder().setTitle(title).build();
  }
}
