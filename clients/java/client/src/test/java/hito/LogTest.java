package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import hito.FakeServer.Incoming;
import hito.LogRecord.Event;
import hito.LogRecord.Level;
import hito.v1.Goals.GetGoalRequest;
import hito.v1.Progress.WatchRequest;
import hito.v1.Progress.WatchResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ResourceBundle;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.Test;

/** What a client tells of itself (clients/BEHAVIOUR.md, C5.9). */
public class LogTest {
  private final List<LogRecord> records = new CopyOnWriteArrayList<>();

  private List<String> shown() {
    return records.stream().map(record -> record.level() + " " + record.event()).toList();
  }

  private List<Map<String, Object>> of(Event event) {
    return records.stream()
        .filter(record -> record.event() == event)
        .map(LogRecord::fields)
        .toList();
  }

  /** The end of what was closed is told by the client's thread, soon after. */
  private void awaits(Event event, int count) throws InterruptedException {
    long end = System.nanoTime() + 10_000_000_000L;
    while (of(event).size() < count && System.nanoTime() < end) {
      Thread.sleep(5);
    }
  }

  private Map<String, Object> one(Event event) {
    List<Map<String, Object>> all = of(event);
    assertEquals(records.toString(), 1, all.size());
    return all.get(0);
  }

  @Test
  public void aCallIsToldFromBeginningToEnd() throws Exception {
    FakeServer.Script script =
        peer -> {
          peer.greet("s3cret");
          peer.fail(peer.call().stream(), StatusCode.UNAVAILABLE, "busy\n\u001b[31mnow");
          peer.reply(peer.call().stream());
          peer.atEnd();
        };
    try (FakeServer server = new FakeServer(script)) {
      try (Client client = server.client().token("s3cret").log(records::add).connect()) {
        client
            .goals()
            .getGoal(
                GetGoalRequest.newBuilder().setGoalId("h1dden").build(),
                CallOptions.DEFAULT.withMetadata(Metadata.of("k", "pr1vate")));
      }
      assertEquals(server.address(), one(Event.CONNECTED).get("address"));
    }
    assertEquals(
        List.of(
            "DEBUG connecting", "INFO connected", "DEBUG call_started", "INFO call_repeated",
            "DEBUG call_ended", "INFO disconnected"),
        shown());
    assertEquals("fake", one(Event.CONNECTED).get("server_id"));
    assertTrue((Long) one(Event.CONNECTED).get("duration_ms") >= 0);
    Map<String, Object> repeated = one(Event.CALL_REPEATED);
    assertEquals(2L, repeated.get("attempt"));
    assertEquals("UNAVAILABLE", repeated.get("status"));
    assertTrue((Long) repeated.get("delay_ms") > 0);
    Map<String, Object> ended = one(Event.CALL_ENDED);
    assertEquals(1L, ended.get("call"));
    assertEquals("hito.v1.GoalService/GetGoal", ended.get("method"));
    assertEquals("OK", ended.get("status"));
    assertEquals(2L, ended.get("attempts"));
    assertEquals("closed", one(Event.DISCONNECTED).get("reason"));
    String all = records.toString();
    for (String secret : List.of("s3cret", "h1dden", "pr1vate", "\n", "\u001b")) {
      assertFalse(all.contains(secret));
    }
    assertTrue(all.contains("busy\ufffd"));
  }

  @Test
  public void failuresStreamsAndLostServersAreTold() throws Exception {
    CountDownLatch isRead = new CountDownLatch(1);
    FakeServer.Script lost =
        peer -> {
          peer.greet();
          peer.fail(peer.call().stream(), StatusCode.NOT_FOUND, "none");
          Incoming watch = peer.call();
          peer.message(watch.stream(), response("1"));
          isRead.await();
          peer.kill();
        };
    FakeServer.Script again =
        peer -> {
          peer.greet();
          Incoming watch = peer.call();
          peer.message(watch.stream(), response("2"));
          peer.atEnd();
        };
    try (FakeServer server = new FakeServer(lost, again);
        Client client = server.client().log(records::add).connect()) {
      assertThrows(
          HitoException.NotFound.class,
          () -> client.goals().getGoal(GetGoalRequest.getDefaultInstance()));
      WatchRequest request = WatchRequest.getDefaultInstance();
      try (ResumingWatch watch = client.progress().watchResuming(request)) {
        assertEquals("1", watch.next().getCursor());
        isRead.countDown();
        assertEquals("2", watch.next().getCursor());
      }
    }
    awaits(Event.CALL_ENDED, 3);
    awaits(Event.DISCONNECTED, 2);
    List<String> ended = new ArrayList<>();
    of(Event.CALL_ENDED).forEach(fields -> ended.add(fields.get("call") + "" + fields.get("status")));
    assertEquals(List.of("1NOT_FOUND", "2UNAVAILABLE", "3CANCELLED"), ended);
    Map<String, Object> resumed = one(Event.WATCH_RESUMED);
    assertEquals("hito.v1.ProgressService/Watch", resumed.get("method"));
    assertEquals("UNAVAILABLE", resumed.get("status"));
    List<Level> levels =
        records.stream()
            .filter(record -> record.event() == Event.DISCONNECTED)
            .map(LogRecord::level)
            .toList();
    assertEquals(List.of(Level.WARNING, Level.INFO), levels);
  }

  private static byte[] response(String cursor) {
    return WatchResponse.newBuilder().setCursor(cursor).build().toByteArray();
  }

  @Test
  public void drainsAndCopiesAreTold() throws Exception {
    FakeServer.Script script =
        peer -> {
          peer.greet();
          peer.call();
          peer.reply(peer.call().stream());
          peer.send(Wire.GOAWAY, 0, 0, new GoAway(3, Wire.IDLE, "rest").encoded());
          peer.atEnd();
        };
    Hedging hedging = new Hedging(Duration.ofMillis(20));
    try (FakeServer server = new FakeServer(script)) {
      Client client = server.client().hedging(hedging).log(records::add).connect();
      client.goals().getGoal(GetGoalRequest.getDefaultInstance());
      for (int i = 0; of(Event.DISCONNECTED).isEmpty() && i < 500; i++) {
        Thread.sleep(10);
      }
      client.close();
    }
    assertEquals(2L, one(Event.CALL_HEDGED).get("copy"));
    assertEquals("drained: rest", one(Event.DISCONNECTED).get("reason"));
    assertTrue(shown().contains("INFO disconnected"));
  }

  @Test
  public void serversThatCannotBeReachedAreTold() {
    ClientBuilder nobody = FakeServer.clientOf("127.0.0.1:1").log(records::add);
    assertThrows(HitoException.Unavailable.class, nobody::connect);
    assertEquals(List.of("DEBUG connecting", "WARNING connect_failed"), shown());
    Map<String, Object> failed = one(Event.CONNECT_FAILED);
    assertEquals("127.0.0.1:1", failed.get("address"));
    assertTrue(((String) failed.get("reason")).contains("cannot connect"));
  }

  @Test
  public void tokensAreToldWithoutTheirText() throws Exception {
    FakeServer.Script script =
        peer -> {
          peer.greet();
          peer.fail(peer.call().stream(), StatusCode.UNAUTHENTICATED, "no");
          peer.reply(peer.call().stream());
          peer.atEnd();
        };
    Provider provider = new Provider();
    try (FakeServer server = new FakeServer(script);
        Client client =
            server.client().tokenProvider(provider).log(records::add).connect()) {
      client.goals().getGoal(GetGoalRequest.getDefaultInstance());
    }
    assertEquals(List.of(Map.of("valid_ms", 60_000L), Map.of("valid_ms", -1L)),
        of(Event.TOKEN_REFRESHED));
    Map<String, Object> repeated = one(Event.CALL_REPEATED);
    assertEquals("UNAUTHENTICATED", repeated.get("status"));
    assertEquals(0L, repeated.get("delay_ms"));
    assertFalse(records.toString().contains("t0ken"));
  }

  @Test
  public void aProviderThatFailsIsTold() throws Exception {
    TokenProvider broken =
        () -> {
          throw new IllegalStateException("t0ken");
        };
    try (FakeServer server = new FakeServer(peer -> { peer.greet(); peer.atEnd(); });
        Client client = server.client().tokenProvider(broken).log(records::add).connect()) {
      assertThrows(
          HitoException.Unauthenticated.class,
          () -> client.goals().getGoal(GetGoalRequest.getDefaultInstance()));
    }
    Map<String, Object> failed = one(Event.TOKEN_FAILED);
    assertEquals("the token provider failed with IllegalStateException", failed.get("reason"));
    assertTrue((Long) failed.get("rest_ms") >= 25);
    assertEquals("UNAUTHENTICATED", one(Event.CALL_ENDED).get("status"));
    assertFalse(records.toString().contains("t0ken"));
  }

  private static final class Provider implements TokenProvider {
    private int asked;

    @Override
    public Token token() {
      return ++asked == 1
          ? Token.of("t0ken-1", Duration.ofMinutes(1)) : Token.of("t0ken-2");
    }
  }

  @Test
  public void whatAListenerThrowsChangesNothing() throws Exception {
    FakeServer.Script script =
        peer -> {
          peer.greet();
          peer.reply(peer.call().stream());
          peer.atEnd();
        };
    try (FakeServer server = new FakeServer(script);
        Client client =
            server
                .client()
                .log(
                    record -> {
                      throw new StackOverflowError("the disk is full");
                    })
                .connect()) {
      client.goals().getGoal(GetGoalRequest.getDefaultInstance());
    }
  }

  @Test
  public void textOfOthersIsCutAndHasNoControlCharacters() {
    assertEquals("a\ufffdb\ufffd\ufffdc", Log.shown("a\nb\u2028\u202ec"));
    assertEquals("a\ufffdb", Log.shown("a\ud800b"));
    assertEquals("😀".repeat(256), Log.shown("😀".repeat(300)));
  }

  @Test
  public void aLoggerOfThePlatformGetsTextAndFields() {
    List<String> lines = new ArrayList<>();
    System.Logger logger =
        new System.Logger() {
          @Override
          public String getName() {
            return "test";
          }

          @Override
          public boolean isLoggable(Level level) {
            return level.compareTo(Level.INFO) >= 0;
          }

          @Override
          public void log(Level level, ResourceBundle bundle, String text, Throwable thrown) {
            lines.add(level + " " + text);
          }

          @Override
          public void log(Level level, ResourceBundle bundle, String format, Object... values) {
            assertTrue("the text is no format", values == null || values.length == 0);
            lines.add(level + " " + format);
          }
        };
    var log = LogRecord.to(logger);
    log.accept(new LogRecord(LogRecord.Level.DEBUG, Event.CONNECTING, "no", Map.of()));
    log.accept(
        new LogRecord(
            LogRecord.Level.WARNING, Event.CONNECT_FAILED, "100% {0} wrong",
            Map.of("reason", "x", "address", "a:1")));
    assertEquals(
        List.of("WARNING 100% {0} wrong [connect_failed address=a:1 reason=x]"), lines);
  }
}
