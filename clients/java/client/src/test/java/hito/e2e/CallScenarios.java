package hito.e2e;

import hito.CallOptions;
import hito.Client;
import hito.ClientBuilder;
import hito.HitoException;
import hito.Interceptor;
import hito.Metadata;
import hito.Method;
import hito.ResponseInfo;
import hito.ResponseStream;
import hito.StatusCode;
import hito.Token;
import hito.v1.Errors.ErrorReason;
import hito.v1.Goals.CreateGoalResponse;
import hito.v1.Goals.GetGoalRequest;
import hito.v1.Goals.ListGoalsRequest;
import hito.v1.Goals.NewTask;
import hito.v1.Server.HealthCheckRequest;
import hito.v1.Server.HealthWatchRequest;
import hito.v1.Tasks.CompleteTaskRequest;
import hito.v1.Tasks.CompleteTaskResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Calls with one response, and the ends of clients. */
final class CallScenarios extends Setting {
  CallScenarios(Map<String, String> given) {
    super(given);
  }

  void journey() {
    try (Client client = builder().connect()) {
      CreateGoalResponse made =
          client
              .goals()
              .createGoal(
                  goal("Aprender Java").toBuilder()
                      .addTasks(NewTask.newBuilder().setTitle("Primera API"))
                      .addTasks(NewTask.newBuilder().setTitle("Pruebas"))
                      .build());
      expect(made.getTasksCount() == 2, "two tasks");
      CompleteTaskResponse done =
          client
              .tasks()
              .completeTask(
                  CompleteTaskRequest.newBuilder().setTaskId(made.getTasks(0).getId()).build());
      expect(done.getGoal().getProgressPercentage() == 50, "half of it is done");
      ListGoalsRequest read =
          ListGoalsRequest.newBuilder().setMinCursor(done.getReceipt().getCursor()).build();
      expect(
          client.goals().listGoals(read).getGoalsList().stream()
              .anyMatch(goal -> goal.getId().equals(made.getGoal().getId())),
          "the goal is in the list");
    }
  }

  void typedErrors() {
    try (Client client = builder().connect()) {
      HitoException.InvalidArgument invalid =
          fails(HitoException.InvalidArgument.class, () -> client.goals().createGoal(goal("")));
      expect(invalid.reason() == ErrorReason.ERROR_REASON_INVALID_FIELD, "the reason");
      expect(invalid.details().getFieldViolations(0).getField().equals("title"), "the field");
      expect(invalid.fromServer() && invalid.code() == StatusCode.INVALID_ARGUMENT, "its code");
      GetGoalRequest unknown =
          GetGoalRequest.newBuilder().setGoalId(UUID.randomUUID().toString()).build();
      fails(HitoException.NotFound.class, () -> client.goals().getGoal(unknown));
      HitoException.Unauthenticated refused =
          fails(
              HitoException.Unauthenticated.class,
              () -> client.goals().getGoal(unknown, CallOptions.DEFAULT.withToken("wrong")));
      expect(refused.notStarted(), "refused by its head");
    }
  }

  void wrongServers() {
    ClientBuilder untrusted = builder().caFile(otherAuthority).waitForConnect(true);
    HitoException error = fails(HitoException.Unavailable.class, untrusted::connect);
    expect(error.text().contains("certificate"), "says why: " + error);
    ClientBuilder other = builder().serverName("other.example").waitForConnect(true);
    fails(HitoException.Unavailable.class, other::connect);
  }

  void mutualTls() {
    // The server asks for one of its authority, and takes none at all, too.
    try (Client client = Client.builder(address).caFile(authority).token(token).connect()) {
      client.health().check(HealthCheckRequest.getDefaultInstance());
    }
    try (Client client = builder().connect()) {
      client.health().check(HealthCheckRequest.getDefaultInstance());
    }
    Path others = otherAuthority.resolveSibling("client.pem");
    ClientBuilder unknown =
        builder().certificate(others, otherAuthority.resolveSibling("client.key"));
    fails(HitoException.Unavailable.class, unknown::connect);
  }

  void deadlines() throws Exception {
    try (Client client = builder().connect()) {
      CallOptions soon = CallOptions.DEFAULT.withTimeout(Duration.ofMillis(100));
      HealthWatchRequest watch = HealthWatchRequest.getDefaultInstance();
      try (ResponseStream<?> stream = client.health().watch(watch, soon)) {
        stream.next();
        fails(HitoException.DeadlineExceeded.class, stream::hasNext);
      }
      ListGoalsRequest never =
          ListGoalsRequest.newBuilder().setMinCursor("").build();
      CallOptions now = CallOptions.DEFAULT.withTimeout(Duration.ZERO);
      fails(
          HitoException.DeadlineExceeded.class, () -> client.goals().listGoals(never, now));
      CompletableFuture<?> given = client.goals().async().listGoals(never);
      given.cancel(true);
      expect(given.isCancelled(), "the caller gave it up");
      Thread caller = Thread.currentThread();
      CountDownLatch isReading = new CountDownLatch(1);
      Thread interrupter =
          new Thread(
              () -> {
                try {
                  isReading.await();
                  Thread.sleep(100);
                } catch (InterruptedException error) {
                  return;
                }
                caller.interrupt();
              });
      interrupter.start();
      try (ResponseStream<?> stream = client.health().watch(watch)) {
        stream.next();
        isReading.countDown();
        fails(HitoException.Cancelled.class, stream::hasNext);
      }
      expect(Thread.interrupted(), "the thread stays interrupted");
    }
  }

  void sameKey() {
    try (Client client = builder().connect()) {
      CallOptions keyed = CallOptions.DEFAULT.withIdempotencyKey(UUID.randomUUID().toString());
      CreateGoalResponse first = client.goals().createGoal(goal("Una vez"), keyed);
      CreateGoalResponse again = client.goals().createGoal(goal("Una vez"), keyed);
      expect(first.getGoal().getId().equals(again.getGoal().getId()), "the same goal");
      expect(again.getReceipt().getReplayed(), "replayed");
      HitoException conflict =
          fails(
              HitoException.AlreadyExists.class,
              () -> client.goals().createGoal(goal("Otra"), keyed));
      expect(conflict.reason() == ErrorReason.ERROR_REASON_KEY_CONFLICT, "the reason");
    }
  }

  void metadata() {
    List<String> seen = new ArrayList<>();
    Interceptor interceptor =
        new Interceptor() {
          @Override
          public <T> CompletableFuture<T> intercept(
              Method<?, ?> method, CallOptions options, Proceed<T> proceed) {
            seen.add(method.path());
            Metadata more = options.metadata().with("hito-echo-c", "3");
            return proceed.proceed(options.withMetadata(more));
          }
        };
    AtomicInteger traces = new AtomicInteger();
    String trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    try (Client client =
        builder()
            .interceptor(interceptor)
            .traceparent(
                () -> {
                  traces.incrementAndGet();
                  return trace;
                })
            .connect()) {
      ResponseInfo info = new ResponseInfo();
      Metadata sent =
          Metadata.of("hito-echo-a", "1").with("hito-echo-trailer-b-bin", new byte[] {0, -1});
      CallOptions options = CallOptions.DEFAULT.withMetadata(sent).withResponseInfo(info);
      client.goals().listGoals(ListGoalsRequest.getDefaultInstance(), options);
      expect(info.metadata().get("hito-echo-a").orElse("").equals("1"), "in HEAD");
      expect(info.metadata().get("hito-echo-c").orElse("").equals("3"), "the interceptor's");
      byte[] trailer = info.trailers().getBytes("hito-echo-trailer-b-bin").orElse(new byte[0]);
      expect(trailer.length == 2 && trailer[1] == -1, "bytes in END");
      expect(seen.equals(List.of("hito.v1.GoalService/ListGoals")), "seen once: " + seen);
      expect(traces.get() == 1, "asked for a trace context once");
    }
  }

  void tokens() {
    AtomicInteger asked = new AtomicInteger();
    ClientBuilder refreshing =
        Client.builder(address)
            .caFile(authority)
            .tokenProvider(() -> Token.of(asked.incrementAndGet() == 1 ? "expired" : token));
    try (Client client = refreshing.connect()) {
      ListGoalsRequest list = ListGoalsRequest.getDefaultInstance();
      client.goals().listGoals(list);
      client.goals().listGoals(list);
      expect(asked.get() == 2, "a refused token is replaced, another is kept");
    }
  }

  void closed() throws InterruptedException {
    Client client = builder().connect();
    ResponseStream<?> stream = client.health().watch(HealthWatchRequest.getDefaultInstance());
    stream.next();
    client.close();
    fails(HitoException.Cancelled.class, stream::hasNext);
    HitoException refused =
        fails(
            HitoException.Cancelled.class,
            () -> client.health().check(HealthCheckRequest.getDefaultInstance()));
    expect(refused.notStarted(), "nothing was begun");
    for (int i = 0; hasLoops() && i < 100; i++) {
      Thread.sleep(50);
    }
    expect(!hasLoops(), "its thread has ended, as those of all clients before");
  }

  private static boolean hasLoops() {
    return Thread.getAllStackTraces().keySet().stream()
        .anyMatch(thread -> thread.getName().equals("hito-loop"));
  }
}
