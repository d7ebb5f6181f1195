package hito.e2e;

import com.google.protobuf.ByteString;
import hito.BidiStream;
import hito.Client;
import hito.ConsumeOptions;
import hito.Delivery;
import hito.GroupConsumer;
import hito.ResponseStream;
import hito.ResumingWatch;
import hito.v1.Courses.CourseDocument;
import hito.v1.Courses.CreateCourseRequest;
import hito.v1.Courses.IngestDocumentsRequest;
import hito.v1.Courses.IngestStart;
import hito.v1.Events.ConsumeRequest;
import hito.v1.Events.ConsumeResponse;
import hito.v1.Events.ConsumerGroup;
import hito.v1.Events.CreateConsumerGroupRequest;
import hito.v1.Events.EventFilter;
import hito.v1.Events.JoinGroup;
import hito.v1.Progress.WatchRequest;
import hito.v1.Progress.WatchResponse;
import hito.v1.Server.HealthCheckRequest;
import hito.v1.Server.HealthWatchRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.TimeUnit;

/** Calls of the four kinds, groups, and watches that resume. */
final class StreamScenarios extends Setting {
  StreamScenarios(Map<String, String> given) {
    super(given);
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
      // The last is more than a stream's first credit: what ends the requests comes while it waits.
      int length = i < 2 ? 10_000 : 50_000;
      CourseDocument document =
          CourseDocument.newBuilder()
              .setPath("page-" + i + ".md")
              .setContent(ByteString.copyFromUtf8("# Page " + i + "\n\n" + "of it ".repeat(length)))
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

  void fourKinds() {
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
        // Events may come before the server has read that no more requests do.
        stream.forEachRemaining(answer -> expect(answer.hasEvent(), "an event"));
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
  void fourKindsAsync() throws Exception {
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
        Taker<ConsumeResponse> taker = new Taker<>(Integer.MAX_VALUE);
        client.events().async().consume(requests).subscribe(taker);
        while (!requests.hasSubscribers()) {
          Thread.sleep(5);
        }
        requests.submit(join);
        requests.close();
        List<ConsumeResponse> answers = taker.taken.get(20, TimeUnit.SECONDS);
        expect(answers.get(0).hasJoined(), "joined, and ended in order");
      }
    }
  }

  void consumer() throws Exception {
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

  void resuming() throws Exception {
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
}
