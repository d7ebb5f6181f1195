package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import hito.FakeServer.Incoming;
import hito.v1.Goals.CreateGoalRequest;
import hito.v1.Goals.GetGoalRequest;
import hito.v1.Goals.GetGoalResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.Test;

/** Unary calls of a client with a provider of tokens (clients/BEHAVIOUR.md, C5.8). */
public class TokenTest {
  /** Gives one token after the other, the last for ever; an exception is thrown. */
  static final class Provider implements TokenProvider {
    private final List<Object> answers;
    private final long delayMillis;
    private int asked;

    Provider(Duration delay, Object... answers) {
      delayMillis = delay.toMillis();
      this.answers = new ArrayList<>(Arrays.asList(answers));
    }

    Provider(Object... answers) {
      this(Duration.ZERO, answers);
    }

    @Override
    public Token token() throws Exception {
      Object answer;
      synchronized (this) {
        asked++;
        answer = answers.size() > 1 ? answers.remove(0) : answers.get(0);
      }
      Thread.sleep(delayMillis);
      if (answer instanceof Exception error) {
        throw error;
      }
      return answer instanceof Token token ? token : Token.of((String) answer);
    }

    synchronized int asked() {
      return asked;
    }

    synchronized void now(Object... answers) {
      this.answers.clear();
      this.answers.addAll(List.of(answers));
    }
  }

  /** Answers calls under these tokens, and refuses all others. */
  private static FakeServer.Script gate(List<Incoming> seen, String... good) {
    return peer -> {
      peer.greet();
      try {
        while (true) {
          Incoming call = peer.call();
          seen.add(call);
          if (List.of(good).contains(call.token())) {
            peer.reply(call.stream());
          } else {
            peer.fail(call.stream(), StatusCode.UNAUTHENTICATED, "no such token");
          }
        }
      } catch (IOException error) {
        // The client has ended.
      }
    };
  }

  private final List<Incoming> seen = Collections.synchronizedList(new ArrayList<>());

  private List<String> seenTokens() {
    return seen.stream().map(Incoming::token).toList();
  }

  private FakeServer server(String... good) throws IOException {
    return new FakeServer(gate(seen, good));
  }

  private static Client client(FakeServer server, TokenProvider provider) {
    return server.client().tokenProvider(provider).connect();
  }

  private static GetGoalResponse get(Client client) {
    return client.goals().getGoal(GetGoalRequest.getDefaultInstance());
  }

  private static CompletableFuture<GetGoalResponse> getAsync(Client client) {
    return client.goals().async().getGoal(GetGoalRequest.getDefaultInstance());
  }

  private static HitoException.Unauthenticated refused(Client client) {
    return assertThrows(HitoException.Unauthenticated.class, () -> get(client));
  }

  private static void getTwentyTimes(Client client) {
    Stream<CompletableFuture<?>> calls = IntStream.range(0, 20).mapToObj(i -> getAsync(client));
    calls.toList().forEach(CompletableFuture::join);
  }

  @Test
  public void theFirstCallsShareOneQuestion() throws Exception {
    Provider provider = new Provider(Duration.ofMillis(100), "a");
    try (FakeServer server = server("a");
        Client client = client(server, provider)) {
      assertEquals("connecting needs none", 0, provider.asked());
      getTwentyTimes(client);
      get(client);
      assertEquals(1, provider.asked());
    }
  }

  @Test
  public void aRefusedTokenIsReplacedAndTheCallRepeatedUnderTheSameKey() throws Exception {
    Provider provider = new Provider("old", "new");
    try (FakeServer server = server("new");
        Client client = client(server, provider)) {
      client.goals().createGoal(CreateGoalRequest.getDefaultInstance());
      assertEquals(List.of("old", "new"), seenTokens());
      assertNotNull(seen.get(0).key());
      assertEquals(seen.get(0).key(), seen.get(1).key());
      get(client);
      assertEquals(2, provider.asked());
    }
  }

  @Test
  public void callsThatAreRefusedTogetherShareTheQuestion() throws Exception {
    Provider provider = new Provider(Duration.ofMillis(50), "old", "new");
    try (FakeServer server = server("new");
        Client client = client(server, provider)) {
      getTwentyTimes(client);
      assertEquals(2, provider.asked());
    }
  }

  @Test
  public void aSecondRefusalIsTheCallersAndProvidersAreNotStormed() throws Exception {
    Object[] texts = IntStream.range(0, 1000).mapToObj(i -> "bad-" + i).toArray();
    Provider provider = new Provider(texts);
    try (FakeServer server = server("good");
        Client client = client(server, provider)) {
      HitoException error = refused(client);
      assertTrue(error.fromServer());
      assertEquals(List.of("bad-0", "bad-1"), seenTokens());
      for (int i = 0; i < 200; i++) {
        refused(client);
      }
      assertTrue("it rests", provider.asked() < 30 && seen.size() < 30);
    }
  }

  @Test
  public void theSameTokenAgainIsTheServersError() throws Exception {
    try (FakeServer server = server("good");
        Client client = client(server, new Provider("bad"))) {
      HitoException error = refused(client);
      assertTrue(error.fromServer() && error.text().equals("no such token"));
      assertEquals(1, seen.size());
    }
  }

  @Test
  public void aProviderThatFailsEndsTheCallBeforeItBegins() throws Exception {
    IOException failure = new IOException("the secret is s3cret");
    Provider provider = new Provider(failure);
    try (FakeServer server = server("good");
        Client client = client(server, provider)) {
      HitoException error = refused(client);
      assertTrue(error.notStarted());
      assertFalse(error.fromServer());
      assertFalse(error.toString().contains("s3cret"));
      assertSame(failure, error.getCause());
      CompletionException async =
          assertThrows(CompletionException.class, () -> getAsync(client).join());
      assertSame(failure, async.getCause().getCause());
      int asked = provider.asked();
      for (int i = 0; i < 50; i++) {
        refused(client);
      }
      assertTrue("it rests", provider.asked() - asked < 15);
      provider.now("good");
      getUntilItWorks(client);
      assertEquals(List.of("good"), seenTokens());
    }
  }

  private static void getUntilItWorks(Client client) throws InterruptedException {
    for (int i = 0; ; i++) {
      try {
        get(client);
        return;
      } catch (HitoException.Unauthenticated error) {
        assertTrue("it works in the end", i < 500);
        Thread.sleep(20);
      }
    }
  }

  @Test
  public void whatMayNotBeSentIsNoToken() throws Exception {
    for (Object answer : new Object[] {"", "x".repeat(257), Token.of(null)}) {
      try (FakeServer server = server("good");
          Client client = client(server, new Provider(answer))) {
        HitoException error = refused(client);
        assertTrue(error.notStarted() && !error.fromServer());
        assertTrue(error.text(), error.text().endsWith("gave what may not be sent"));
      }
    }
  }

  @Test
  public void aProviderThatFailsBehindARefusalLeavesTheServersError() throws Exception {
    IOException failure = new IOException("gone");
    try (FakeServer server = server("good");
        Client client = client(server, new Provider("bad", failure))) {
      HitoException error = refused(client);
      assertTrue(error.fromServer() && error.text().equals("no such token"));
      assertSame(failure, error.getCause());
    }
  }

  @Test
  public void aProviderHasItsTime() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    TokenProvider late =
        () -> {
          try {
            Thread.sleep(60_000);
          } catch (InterruptedException error) {
            interrupted.countDown();
          }
          return Token.of("late");
        };
    try (FakeServer server = server("late");
        Client client =
            server.client().tokenProvider(late).tokenTimeout(Duration.ofMillis(100)).connect()) {
      assertEquals("the token provider did not answer in time", refused(client).text());
      assertTrue(interrupted.await(10, TimeUnit.SECONDS));
      assertEquals("what comes too late is no token", 0, seen.size());
    }
  }

  @Test
  public void aCallWaitsWithinItsOwnTimeAndLeavesTheQuestion() throws Exception {
    Provider provider = new Provider(Duration.ofMillis(1000), "a");
    try (FakeServer server = server("a");
        Client client = client(server, provider)) {
      CallOptions soon = CallOptions.DEFAULT.withTimeout(Duration.ofMillis(50));
      HitoException late =
          assertThrows(
              HitoException.DeadlineExceeded.class,
              () -> client.goals().getGoal(GetGoalRequest.getDefaultInstance(), soon));
      assertTrue(late.notStarted());
      getAsync(client).cancel(true);
      get(client);
      assertEquals(1, provider.asked());
      assertEquals(1, seen.size());
    }
  }

  @Test
  public void aTokenOfACallIsItsOwn() throws Exception {
    Provider provider = new Provider("good");
    try (FakeServer server = server("good");
        Client client = client(server, provider)) {
      CallOptions own = CallOptions.DEFAULT.withToken("mine");
      assertThrows(
          HitoException.Unauthenticated.class,
          () -> client.goals().getGoal(GetGoalRequest.getDefaultInstance(), own));
      assertEquals(0, provider.asked());
      assertEquals(List.of("mine"), seenTokens());
    }
  }

  @Test
  public void aTokenThatExpiresIsRenewed() throws Exception {
    Provider provider =
        new Provider(
            Token.of("a", Duration.ofMillis(200)), Token.of("b", Duration.ofSeconds(100)));
    try (FakeServer server = server("a", "b");
        Client client = client(server, provider)) {
      get(client);
      Thread.sleep(210);
      get(client);
      get(client);
      assertEquals(List.of("a", "b", "b"), seenTokens());
    }
  }

  @Test
  public void theCopiesOfAnAttemptHaveItsToken() throws Exception {
    List<String> tokens = Collections.synchronizedList(new ArrayList<>());
    FakeServer.Script script =
        peer -> {
          peer.greet();
          tokens.add(peer.call().token());
          Incoming copy = peer.call();
          tokens.add(copy.token());
          peer.fail(copy.stream(), StatusCode.UNAUTHENTICATED, "no");
          Incoming repeated = peer.call();
          tokens.add(repeated.token());
          peer.reply(repeated.stream());
          peer.atEnd();
        };
    Hedging hedging = new Hedging(Duration.ofMillis(200));
    Provider provider = new Provider("a", "b");
    try (FakeServer server = new FakeServer(script);
        Client client = server.client().tokenProvider(provider).hedging(hedging).connect()) {
      get(client);
      assertEquals(List.of("a", "a", "b"), tokens);
    }
  }

  @Test
  public void aTokenAndAProviderAreOneTooMany() {
    ClientBuilder both =
        FakeServer.clientOf("127.0.0.1:1").token("a").tokenProvider(() -> Token.of("b"));
    assertThrows(IllegalArgumentException.class, both::build);
  }

  @Test
  public void closingEndsTheQuestion() throws Exception {
    Provider provider = new Provider(Duration.ofMillis(60_000), "a");
    try (FakeServer server = server("a")) {
      Client client = client(server, provider);
      CompletableFuture<?> call = getAsync(client);
      while (provider.asked() == 0) {
        Thread.sleep(5);
      }
      client.close();
      CompletionException ended = assertThrows(CompletionException.class, call::join);
      assertTrue(((HitoException.Cancelled) ended.getCause()).notStarted());
      assertThrows(HitoException.Cancelled.class, () -> get(client));
      assertEquals(1, provider.asked());
    }
  }
}
