package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import com.google.protobuf.MessageLite;
import hito.FakeServer.Incoming;
import hito.v1.Courses.IngestDocumentsRequest;
import hito.v1.Events.ConsumeResponse;
import hito.v1.Events.Event;
import hito.v1.Goals.GetGoalRequest;
import hito.v1.Progress.WatchRequest;
import hito.v1.Progress.WatchResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.Test;

/** Streams of a client with a provider of tokens (clients/BEHAVIOUR.md, C5.8). */
public class StreamTokenTest {
  /** The token that a call should have, how many responses it gets, and how it ends. */
  private record Turn(String token, int count, StatusCode status) {}

  private static Turn refused(String token, int count) {
    return new Turn(token, count, StatusCode.UNAUTHENTICATED);
  }

  private static FakeServer.Script streaming(
      Function<String, MessageLite> response, Turn... turns) {
    return peer -> {
      peer.greet();
      for (Turn turn : turns) {
        Incoming call = peer.call();
        assertEquals(turn.token(), call.token());
        for (int i = 0; i < turn.count(); i++) {
          peer.message(call.stream(), response.apply(turn.token() + i).toByteArray());
        }
        if (turn.status() == StatusCode.OK) {
          peer.end(call.stream());
        } else {
          peer.fail(call.stream(), turn.status(), "no");
        }
      }
      peer.atEnd();
    };
  }

  private static FakeServer watched(Turn... turns) throws IOException {
    return new FakeServer(
        streaming(cursor -> WatchResponse.newBuilder().setCursor(cursor).build(), turns));
  }

  private static Client client(FakeServer server, Object... tokens) {
    return server.client().tokenProvider(new TokenTest.Provider(tokens)).connect();
  }

  private static ResponseStream<WatchResponse> watch(Client client) {
    return client.progress().watch(WatchRequest.getDefaultInstance());
  }

  private static List<String> cursors(ResponseStream<WatchResponse> stream) {
    List<String> cursors = new ArrayList<>();
    stream.forEach(response -> cursors.add(response.getCursor()));
    return cursors;
  }

  @Test
  public void aStreamIsRepeatedBeforeItsFirstResponseAndNotBehindIt() throws Exception {
    Turn[] turns = {refused("a", 0), refused("b", 2), new Turn("c", 1, StatusCode.OK)};
    try (FakeServer server = watched(turns);
        Client client = client(server, "a", "b", "c")) {
      ResponseStream<WatchResponse> stream = watch(client);
      assertEquals("b0", stream.next().getCursor());
      assertEquals("b1", stream.next().getCursor());
      HitoException error =
          assertThrows(HitoException.Unauthenticated.class, stream::hasNext);
      assertTrue(error.fromServer() && !error.notStarted());
      assertEquals(List.of("c0"), cursors(watch(client)));
    }
  }

  @Test
  public void aSecondRefusalOfAStreamIsTheCallers() throws Exception {
    try (FakeServer server = watched(refused("a", 0), refused("b", 0));
        Client client = client(server, "a", "b", "c")) {
      HitoException error =
          assertThrows(HitoException.Unauthenticated.class, () -> watch(client).hasNext());
      assertTrue(error.fromServer());
    }
  }

  @Test
  public void aStreamForWhichThereIsNoTokenDoesNotBegin() throws Exception {
    try (FakeServer server = watched();
        Client client = client(server, new IOException("gone"))) {
      HitoException error =
          assertThrows(HitoException.Unauthenticated.class, () -> watch(client).hasNext());
      assertTrue(error.notStarted() && !error.fromServer());
    }
  }

  @Test
  public void aWatchContinuesUnderANewToken() throws Exception {
    Turn[] turns = {refused("a", 1), refused("b", 1), refused("c", 0), refused("d", 0)};
    try (FakeServer server = watched(turns);
        Client client = client(server, "a", "b", "c", "d")) {
      ResumingWatch watch = client.progress().watchResuming(WatchRequest.getDefaultInstance());
      assertEquals("a0", watch.next().getCursor());
      assertEquals("b0", watch.next().getCursor());
      assertThrows(HitoException.Unauthenticated.class, watch::hasNext);
      assertEquals(2, watch.interruptions());
    }
  }

  @Test
  public void anotherErrorBehindAReplacedTokenEndsAWatch() throws Exception {
    Turn[] turns = {refused("a", 0), new Turn("b", 1, StatusCode.NOT_FOUND)};
    try (FakeServer server = watched(turns);
        Client client = client(server, "a", "b")) {
      ResumingWatch watch = client.progress().watchResuming(WatchRequest.getDefaultInstance());
      assertEquals("b0", watch.next().getCursor());
      assertThrows(HitoException.NotFound.class, watch::hasNext);
    }
  }

  @Test
  public void aConsumerOfAGroupJoinsAgainUnderANewToken() throws Exception {
    Turn[] turns = {refused("a", 0), refused("b", 1), refused("c", 0)};
    FakeServer.Script script =
        streaming(
            id ->
                ConsumeResponse.newBuilder()
                    .setEvent(Event.newBuilder().setId(id).build())
                    .build(),
            turns);
    try (FakeServer server = new FakeServer(script);
        Client client = client(server, "a", "b", "c", "d")) {
      try (GroupConsumer consumer = client.events().consumeResuming("mailer")) {
        assertThrows(
            HitoException.Unauthenticated.class,
            () -> {
              while (consumer.hasNext()) {
                consumer.next();
              }
            });
        assertEquals(2, consumer.interruptions());
      }
    }
  }

  @Test
  public void aRequestStreamThatIsRefusedIsTheCallersAndTheNextHasANewToken() throws Exception {
    FakeServer.Script script =
        peer -> {
          peer.greet();
          Incoming first = peer.call();
          assertEquals("a", first.token());
          peer.fail(first.stream(), StatusCode.UNAUTHENTICATED, "no");
          Incoming second = peer.call();
          assertEquals("b", second.token());
          peer.reply(second.stream());
          peer.atEnd();
        };
    List<IngestDocumentsRequest> requests =
        List.of(IngestDocumentsRequest.getDefaultInstance());
    try (FakeServer server = new FakeServer(script);
        Client client = client(server, "a", "b")) {
      HitoException error =
          assertThrows(
              HitoException.Unauthenticated.class,
              () -> client.courses().ingestDocuments(requests));
      assertTrue(error.fromServer());
      client.courses().ingestDocuments(requests);
    }
  }

  @Test
  public void aClientWithATokenSaysItInHelloAndRepeatsNothing() throws Exception {
    FakeServer.Script script =
        peer -> {
          peer.greet("mine");
          Incoming call = peer.call();
          assertFalse(call.fields().containsKey(5));
          peer.fail(call.stream(), StatusCode.UNAUTHENTICATED, "no");
          peer.atEnd();
        };
    try (FakeServer server = new FakeServer(script);
        Client client = server.client().token("mine").connect()) {
      assertThrows(HitoException.Unauthenticated.class, () -> watch(client).hasNext());
    }
  }
  @Test
  public void theClientsOwnQuestionForHealthHasNoToken() throws Exception {
    CountDownLatch isAsked = new CountDownLatch(1);
    FakeServer.Script script =
        peer -> {
          peer.greet();
          Incoming question = peer.call();
          assertEquals("hito.v1.HealthService/Watch", question.fields().get(1));
          assertFalse(question.fields().containsKey(5));
          isAsked.countDown();
          Incoming call = peer.call();
          assertEquals("a", call.token());
          peer.reply(call.stream());
          peer.atEnd();
        };
    TokenTest.Provider provider = new TokenTest.Provider("a");
    try (FakeServer server = new FakeServer(script);
        Client client = server.client().tokenProvider(provider).healthCheck(true).connect()) {
      assertTrue(isAsked.await(10, TimeUnit.SECONDS));
      assertEquals(0, provider.asked());
      client.goals().getGoal(GetGoalRequest.getDefaultInstance());
      assertEquals(1, provider.asked());
    }
  }
}
