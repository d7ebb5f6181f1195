package hito.e2e;

import com.google.protobuf.ByteString;
import hito.BidiStream;
import hito.CallOptions;
import hito.Client;
import hito.ClientBuilder;
import hito.ConsumeOptions;
import hito.Delivery;
import hito.GroupConsumer;
import hito.HitoException;
import hito.Interceptor;
import hito.Metadata;
import hito.Method;
import hito.ResponseInfo;
import hito.ResponseStream;
import hito.ResumingWatch;
import hito.StatusCode;
import hito.v1.Courses.CourseDocument;
import hito.v1.Courses.CreateCourseRequest;
import hito.v1.Courses.IngestDocumentsRequest;
import hito.v1.Courses.IngestStart;
import hito.v1.Errors.ErrorReason;
import hito.v1.Events.ConsumeRequest;
import hito.v1.Events.ConsumeResponse;
import hito.v1.Events.ConsumerGroup;
import hito.v1.Events.CreateConsumerGroupRequest;
import hito.v1.Events.EventFilter;
import hito.v1.Events.JoinGroup;
import hito.v1.Goals.CreateGoalRequest;
import hito.v1.Goals.CreateGoalResponse;
import hito.v1.Goals.GetGoalRequest;
import hito.v1.Goals.ListGoalsRequest;
import hito.v1.Goals.NewTask;
import hito.v1.Progress.WatchRequest;
import hito.v1.Progress.WatchResponse;
import hito.v1.Server.HealthCheckRequest;
import hito.v1.Server.HealthWatchRequest;
import hito.v1.Tasks.CompleteTaskRequest;
import hito.v1.Tasks.CompleteTaskResponse;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The client against a real server, which clients/java/tests/end_to_end.py starts, kills and
 * starts again as the lines on standard output ask for.
 */
public final class EndToEnd {
  /** One scenario. */
  private interface Scenario {
    void run() throws Exception;
  }

  private final String address;
  private final Path authority;
  private final Path otherAuthority;
  private final String token;
  private final Path certificate;
  private final Path key;
  private final BufferedReader answers =
      new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

  private EndToEnd(Map<String, String> given) {
    address = given.get("HITO_ADDRESS");
    authority = Path.of(given.get("HITO_CA"));
    otherAuthority = Path.of(given.get("HITO_OTHER_CA"));
    token = given.get("HITO_TOKEN");
    certificate = Path.of(given.get("HITO_CLIENT_CERTIFICATE"));
    key = Path.of(given.get("HITO_CLIENT_KEY"));
  }

  /** Runs all; the exit status says whether all went well. */
  public static void main(String[] arguments) {
    EndToEnd tests = new EndToEnd(System.getenv());
    Map<String, Scenario> all = new java.util.LinkedHashMap<>();
    all.put("a goal with tasks, one completed, read with min_cursor", tests::journey);
    all.put("errors are typed, with reason and field violations", tests::typedErrors);
    all.put("a wrong certificate or host name is refused", tests::wrongServers);
    all.put("a certificate of the client's own", tests::mutualTls);
    all.put("calls of the four kinds, blocking", tests::fourKinds);
    all.put("calls of the four kinds, with futures and publishers", tests::fourKindsAsync);
    all.put("deadlines and cancellation", tests::deadlines);
    all.put("a write under one key has its effect once", tests::sameKey);
    all.put("metadata, trailers, interceptors and trace contexts", tests::metadata);
    all.put("tokens from a callback", tests::tokens);
    all.put("a consumer of a group", tests::consumer);
    all.put("a watch resumes over kill -9 without loss or doubles", tests::resuming);
    all.put("a closed client ends its calls", tests::closed);
    int failed = 0;
    for (Map.Entry<String, Scenario> scenario : all.entrySet()) {
      try {
        scenario.getValue().run();
        System.out.println("ok - " + scenario.getKey());
      } catch (Exception | AssertionError error) {
        failed++;
        System.out.println("not ok - " + scenario.getKey());
        error.printStackTrace(System.out);
      }
    }
    System.out.println("# end to end: " + all.size() + " scenarios, " + failed + " failed");
    System.out.flush();
    System.exit(failed == 0 ? 0 : 1);
  }

  private ClientBuilder builder() {
    return Client.builder(address).caFile(authority).token(token).certificate(certificate, key);
  }

  private static void expect(boolean isTrue, String what) {
    if (!isTrue) {
      throw new AssertionError(what);
    }
  }

  private static <E extends HitoException> E fails(Class<E> kind, Runnable call) {
    try {
      call.run();
    } catch (HitoException error) {
      expect(kind.isInstance(error), "expected " + kind.getSimpleName() + ", got " + error);
      return kind.cast(error);
    }
    throw new AssertionError("expected " + kind.getSimpleName() + ", and it went well");
  }

  /** Asks the driver for something and waits until it is done. */
  private void ask(String what) throws IOException {
    System.out.println("ask " + what);
    System.out.flush();
    expect("done".equals(answers.readLine()), "the driver did not do: " + what);
  }

  private static CreateGoalRequest goal(String title) {
    return CreateGoalRequest.newBuilder().setTitle(title).build();
  }

  private void journey() {
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

  private void typedErrors() {
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

  private void wrongServers() {
    ClientBuilder untrusted = builder().caFile(otherAuthority).waitForConnect(true);
    HitoException error = fails(HitoException.Unavailable.class, untrusted::connect);
    expect(error.text().contains("certificate"), "says why: " + error);
    ClientBuilder other = builder().serverName("other.example").waitForConnect(true);
    fails(HitoException.Unavailable.class, other::connect);
  }

  private void mutualTls() {
    // The server asks for certificates and refuses those of others, so that having come here shows
    // ours; one without is taken for its token.
    try (Client client = Client.builder(address).caFile(authority).token(token).connect()) {
      client.health().check(HealthCheckRequest.getDefaultInstance());
    }
    try (Client client = builder().connect()) {
      client.health().check(HealthCheckRequest.getDefaultInstance());
    }
  }

  private static List<IngestDocumentsRequest> documents(Client client) {
    CreateCourseRequest course = CreateCourseRequest.newBuilder().setTitle("Java").build();
    String id = client.courses().createCourse(course).getCourse().getId();
    List<IngestDocumentsRequest> requests = new ArrayList<>();
    requests.add(
        IngestDocumentsRequest.newBuilder()
            .setStart(IngestStart.newBuilder().setCourseId(id))
            .build());
    for (int i = 0; i < 3; i++) {
      CourseDocument document =
          CourseDocument.newBuilder()
              .setPath("page-" + i + ".md")
              .setContent(ByteString.copyFromUtf8("# Page " + i + "\n\n" + "of it ".repeat(20_000)))
              .build();
      requests.add(IngestDocumentsRequest.newBuilder().setDocument(document).build());
    }
    return requests;
  }

  private static String group(Client client) {
    String name = "group-" + UUID.randomUUID();
    ConsumerGroup group =
        ConsumerGroup.newBuilder()
            .setName(name)
            .setFilter(EventFilter.newBuilder().addTypes("goal.created"))
            .build();
    client
        .events()
        .createConsumerGroup(CreateConsumerGroupRequest.newBuilder().setGroup(group).build());
    return name;
  }

  private void fourKinds() {
    try (Client client = builder().compression(true).connect()) {
      client.health().check(HealthCheckRequest.getDefaultInstance());
      try (ResponseStream<?> stream =
          client.health().watch(HealthWatchRequest.getDefaultInstance())) {
        expect(stream.hasNext(), "the health now");
      }
      int received = client.courses().ingestDocuments(documents(client)).getDocumentsReceived();
      expect(received == 3, "three documents, not " + received);
      ConsumeRequest join =
          ConsumeRequest.newBuilder().setJoin(JoinGroup.newBuilder().setGroup(group(client))).build();
      try (BidiStream<ConsumeRequest, ConsumeResponse> stream = client.events().consume()) {
        stream.send(join);
        expect(stream.next().hasJoined(), "joined");
        stream.halfClose();
        expect(!stream.hasNext(), "ended in order");
      }
    }
  }

  /** Takes so many answers, one at a time. */
  private static final class Taker<T> implements Flow.Subscriber<T> {
    final CompletableFuture<List<T>> taken = new CompletableFuture<>();
    private final List<T> answers = new ArrayList<>();
    private final int count;
    private Flow.Subscription subscription;

    Taker(int count) {
      this.count = count;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      this.subscription = subscription;
      subscription.request(1);
    }

    @Override
    public void onNext(T answer) {
      answers.add(answer);
      if (answers.size() == count) {
        subscription.cancel();
        taken.complete(answers);
      } else {
        subscription.request(1);
      }
    }

    @Override
    public void onError(Throwable error) {
      taken.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
      taken.complete(answers);
    }
  }

  private static <T> List<T> take(Flow.Publisher<T> publisher, int count) throws Exception {
    Taker<T> taker = new Taker<>(count);
    publisher.subscribe(taker);
    return taker.taken.get(20, TimeUnit.SECONDS);
  }

  // Closing a publisher of requests is what ends them, before the block does.
  @SuppressWarnings("try")
  private void fourKindsAsync() throws Exception {
    try (Client client = builder().connectAsync().get(20, TimeUnit.SECONDS)) {
      CompletableFuture<?> unary =
          client.health().async().check(HealthCheckRequest.getDefaultInstance());
      unary.get(20, TimeUnit.SECONDS);
      HealthWatchRequest watch = HealthWatchRequest.getDefaultInstance();
      expect(take(client.health().async().watch(watch), 1).size() == 1, "the health now");
      try (SubmissionPublisher<IngestDocumentsRequest> requests = new SubmissionPublisher<>()) {
        var reply = client.courses().async().ingestDocuments(requests);
        while (!requests.hasSubscribers()) {
          Thread.sleep(5);
        }
        documents(client).forEach(requests::submit);
        requests.close();
        expect(reply.get(20, TimeUnit.SECONDS).getDocumentsReceived() == 3, "three documents");
      }
      ConsumeRequest join =
          ConsumeRequest.newBuilder().setJoin(JoinGroup.newBuilder().setGroup(group(client))).build();
      try (SubmissionPublisher<ConsumeRequest> requests = new SubmissionPublisher<>()) {
        Taker<ConsumeResponse> taker = new Taker<>(2);
        client.events().async().consume(requests).subscribe(taker);
        while (!requests.hasSubscribers()) {
          Thread.sleep(5);
        }
        requests.submit(join);
        requests.close();
        List<ConsumeResponse> answers = taker.taken.get(20, TimeUnit.SECONDS);
        expect(answers.size() == 1 && answers.get(0).hasJoined(), "joined, and ended in order");
      }
    }
  }

  private void deadlines() throws Exception {
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

  private void sameKey() {
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

  private void metadata() {
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

  private void tokens() {
    AtomicInteger asked = new AtomicInteger();
    ClientBuilder refreshing =
        Client.builder(address)
            .caFile(authority)
            .tokens(() -> asked.incrementAndGet() == 1 ? "expired" : token);
    try (Client client = refreshing.connect()) {
      ListGoalsRequest list = ListGoalsRequest.getDefaultInstance();
      fails(HitoException.Unauthenticated.class, () -> client.goals().listGoals(list));
      client.goals().listGoals(list);
      expect(asked.get() == 2, "asked for each call");
    }
  }

  private void consumer() throws Exception {
    try (Client client = builder().connect()) {
      String group = group(client);
      Set<String> wanted = new HashSet<>();
      try (GroupConsumer consumer =
          client.events().consumeResuming(ConsumeOptions.of(group))) {
        Thread maker =
            new Thread(
                () -> {
                  for (int i = 0; i < 3; i++) {
                    wanted.add(client.goals().createGoal(goal("Grupo")).getGoal().getId());
                  }
                });
        maker.start();
        Set<String> seen = new HashSet<>();
        while (seen.size() < 3) {
          Delivery delivery = consumer.next();
          expect(delivery.isHeld(), "held");
          seen.add(delivery.event().getId());
          expect(delivery.ack().get(20, TimeUnit.SECONDS), "acknowledged");
        }
        maker.join();
        expect(!consumer.name().isEmpty() && wanted.size() == 3, "it has a name");
      }
    }
  }

  private void resuming() throws Exception {
    try (Client client = builder().timeout(Duration.ofSeconds(120)).connect()) {
      List<String> made = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        made.add(client.goals().createGoal(goal("Antes " + i)).getGoal().getId());
      }
      WatchRequest watched =
          WatchRequest.newBuilder()
              .setFromBeginning(true)
              .setFilter(EventFilter.newBuilder().addTypes("goal.created"))
              .build();
      List<String> cursors = new ArrayList<>();
      List<String> goals = new ArrayList<>();
      try (ResumingWatch watch = client.progress().watchResuming(watched)) {
        readUntil(watch, made, goals, cursors);
        ask("kill");
        ask("start");
        List<String> after = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
          after.add(client.goals().createGoal(goal("Después " + i)).getGoal().getId());
        }
        readUntil(watch, after, goals, cursors);
        expect(watch.interruptions() > 0, "it broke");
        expect(watch.cursor().equals(cursors.get(cursors.size() - 1)), "its cursor");
      }
      expect(new HashSet<>(cursors).size() == cursors.size(), "nothing twice");
      // From its beginning, by a stream that nothing interrupts.
      List<String> whole = new ArrayList<>();
      try (ResponseStream<WatchResponse> stream = client.progress().watch(watched)) {
        while (whole.size() < goals.size()) {
          WatchResponse step = stream.next();
          if (step.hasEvent()) {
            whole.add(step.getEvent().getId());
          }
        }
      }
      expect(whole.equals(goals), "nothing lost, and in order");
    }
  }

  private static void readUntil(
      ResumingWatch watch, List<String> made, List<String> events, List<String> cursors) {
    Set<String> left = new HashSet<>(made);
    while (!left.isEmpty()) {
      WatchResponse step = watch.next();
      if (step.hasEvent()) {
        cursors.add(step.getCursor());
        events.add(step.getEvent().getId());
        left.removeIf(id -> step.getEvent().toString().contains(id));
      }
    }
  }

  private void closed() {
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
  }
}
