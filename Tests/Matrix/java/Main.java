import hito.CallOptions;
import hito.Client;
import hito.HitoException;
import hito.ResumingWatch;
import hito.v1.Common.WriteReceipt;
import hito.v1.Events.Event;
import hito.v1.Goals.CreateGoalRequest;
import hito.v1.Goals.CreateGoalResponse;
import hito.v1.Goals.NewTask;
import hito.v1.Progress.WatchRequest;
import hito.v1.Progress.WatchResponse;
import hito.v1.Tasks.CompleteTaskRequest;
import hito.v1.Tasks.StartTaskRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** The Java client in the matrix (Tests/Matrix/README.md): writes, and watches what all write. */
public final class Main {
  private final Client client;
  private final String name;
  private final long pause;
  private long next = System.nanoTime();
  private final Set<String> seen = new HashSet<>();
  private RuntimeException failure;

  private Main(Client client, String name, double rate) {
    this.client = client;
    this.name = name;
    pause = (long) (1e9 / rate);
  }

  /** ADDRESSES CA_FILE TOKEN_FILE SECONDS NAME BALANCING RATE. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    try (Client client =
        Client.builder(arguments[0])
            .caFile(Path.of(arguments[1]))
            .token(Files.readString(Path.of(arguments[2])).strip())
            .roundRobin(arguments[5].equals("round_robin"))
            .waitForConnect(true)
            .connect()) {
      Main main = new Main(client, arguments[4], Double.parseDouble(arguments[6]));
      main.run((long) (1e9 * Double.parseDouble(arguments[3])));
    }
  }

  private void run(long time) throws IOException, InterruptedException {
    AtomicInteger interruptions = new AtomicInteger();
    WatchRequest request = WatchRequest.newBuilder().setFromBeginning(true).build();
    try (ResumingWatch watch =
        client.progress().watchResuming(request, CallOptions.DEFAULT, error -> interruptions.incrementAndGet())) {
      Thread following = new Thread(() -> follow(watch));
      following.setDaemon(true);
      following.start();
      long end = System.nanoTime() + time;
      for (int number = 1; System.nanoTime() - end < 0; number++) {
        writeGoal(name + "-" + number);
      }
      say("{\"written\": true}");
      BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
      waitFor(input.readLine().strip());
      say("{\"done\": true, \"interruptions\": " + interruptions.get() + "}");
    }
  }

  private void writeGoal(String key) throws InterruptedException {
    CreateGoalRequest goal =
        CreateGoalRequest.newBuilder().setTitle(key).addTasks(NewTask.newBuilder().setTitle(key)).build();
    CreateGoalResponse made =
        attempt(key, options -> {
          CreateGoalResponse reply = client.goals().createGoal(goal, options);
          wrote(reply.getReceipt(), reply.getGoal().getId(), "goal.created", key);
          return reply;
        });
    if (made == null) {
      return;
    }
    String task = made.getTasks(0).getId();
    Object started =
        attempt(key + "-start", options -> {
          StartTaskRequest start = StartTaskRequest.newBuilder().setTaskId(task).build();
          wrote(client.tasks().startTask(start, options).getReceipt(), task, "task.started", key + "-start");
          return task;
        });
    if (started == null) {
      return;
    }
    attempt(key + "-complete", options -> {
      CompleteTaskRequest complete = CompleteTaskRequest.newBuilder().setTaskId(task).build();
      WriteReceipt receipt = client.tasks().completeTask(complete, options).getReceipt();
      wrote(receipt, task, "task.completed", key + "-complete");
      return task;
    });
  }

  /** What the call gave, or null where it failed. */
  private <T> T attempt(String key, Function<CallOptions, T> call) throws InterruptedException {
    next = Math.max(next + pause, System.nanoTime());
    long wait = next - System.nanoTime();
    if (wait > 0) {
      Thread.sleep(wait / 1_000_000, (int) (wait % 1_000_000));
    }
    try {
      return call.apply(CallOptions.DEFAULT.withIdempotencyKey(key));
    } catch (HitoException error) {
      say(String.format("{\"failed\": \"%s\", \"key\": \"%s\"}", error.code(), key));
      return null;
    }
  }

  // Ids, cursors, keys and types have no characters that JSON escapes.
  private static void wrote(WriteReceipt receipt, String entity, String kind, String key) {
    say(
        String.format(
            "{\"wrote\": {\"entity\": \"%s\", \"kind\": \"%s\", \"key\": \"%s\", "
                + "\"cursor\": \"%s\", \"replayed\": %b}}",
            entity, kind, key, receipt.getCursor(), receipt.getReplayed()));
  }

  private void follow(ResumingWatch watch) {
    try {
      while (watch.hasNext()) {
        WatchResponse step = watch.next();
        if (step.hasEvent()) {
          saw(step.getCursor(), step.getEvent());
        }
      }
    } catch (RuntimeException error) {
      synchronized (this) {
        failure = error;
        notifyAll();
      }
    }
  }

  private synchronized void saw(String cursor, Event event) {
    say(
        String.format(
            "{\"saw\": {\"cursor\": \"%s\", \"event\": \"%s\", \"entity\": \"%s\", \"version\": %d, \"type\": \"%s\"}}",
            cursor, event.getId(), event.getEntityId(), event.getVersion(), event.getType()));
    seen.add(cursor);
    notifyAll();
  }

  private synchronized void waitFor(String cursor) throws InterruptedException {
    while (!seen.contains(cursor)) {
      if (failure != null) {
        throw failure;
      }
      wait();
    }
  }

  private static synchronized void say(String line) {
    System.out.println(line);
  }
}
