package hito.conformance;

import com.google.protobuf.ByteString;
import hito.Client;
import hito.ClientBuilder;
import hito.HitoException;
import hito.Metadata;
import hito.ResponseInfo;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The Java client as a program under test of runner.py: see docs/conformance.md for the lines. */
public final class Adapter {
  /** A client by its name, and the thread that opens it and begins its calls in their order. */
  private static final class Opened {
    final ExecutorService lane = Executors.newSingleThreadExecutor(Adapter::daemon);
    volatile Client client;
    volatile HitoException failure;
  }

  private final Map<String, Opened> clients = new ConcurrentHashMap<>();
  private final Map<Integer, RunningCall> calls = new ConcurrentHashMap<>();
  private final ExecutorService threads = Executors.newCachedThreadPool(Adapter::daemon);
  private final PrintStream out =
      new PrintStream(System.out, true, StandardCharsets.US_ASCII);

  private Adapter() {}

  /** Takes lines, makes calls, answers. */
  public static void main(String[] arguments) throws IOException {
    Adapter adapter = new Adapter();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      adapter.take(Request.of(line));
    }
    System.exit(0);
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "adapter");
    thread.setDaemon(true);
    return thread;
  }

  private void take(Request request) {
    switch (request.text("op")) {
      case "open" -> {
        Opened opened = new Opened();
        clients.put(request.text("client"), opened);
        opened.lane.execute(() -> answer(request, () -> open(request, opened)));
      }
      case "call" -> call(request);
      case "cancel" -> {
        RunningCall call = calls.get(request.number("call", 0));
        if (call != null) {
          call.cancel();
        }
        reply(request, new LinkedHashMap<>());
      }
      case "resume" -> {
        RunningCall call = calls.get(request.number("call", 0));
        if (call != null) {
          call.resume();
        }
        reply(request, new LinkedHashMap<>());
      }
      case "close" -> threads.execute(() -> answer(request, () -> close(request)));
      default -> reply(request, Map.of("error", "an op that is not known"));
    }
  }

  /** What answers a line. */
  interface Answer {
    Map<String, Object> get() throws Exception;
  }

  private void answer(Request request, Answer answer) {
    Map<String, Object> reply;
    try {
      reply = answer.get();
    } catch (HitoException error) {
      reply = failure(error);
    } catch (Exception error) {
      reply = new LinkedHashMap<>(Map.of("error", error.toString()));
    }
    reply(request, reply);
  }

  void reply(Request request, Map<String, Object> reply) {
    Map<String, Object> whole = new LinkedHashMap<>();
    whole.put("id", request.id());
    whole.putAll(reply);
    synchronized (out) {
      out.println(Json.write(whole));
    }
  }

  private Map<String, Object> open(Request request, Opened opened) {
    boolean waits = request.isTrue("wait_for_ready", true);
    ClientBuilder builder =
        Client.builder(request.texts("addresses").toArray(new String[0]))
            .caFile(Path.of(request.text("ca_file")))
            .waitForReady(waits)
            .waitForConnect(waits)
            .roundRobin("round_robin".equals(request.text("balancing")))
            .healthCheck(request.isTrue("health", false))
            .compression(request.isTrue("compression", false));
    if (request.has("token")) {
      builder.token(request.text("token"));
    }
    if (request.has("keepalive_ms")) {
      builder.keepalive(request.millis("keepalive_ms"));
    }
    if (request.has("connections")) {
      builder.connectionsPerAddress(request.number("connections", 4));
    }
    if (request.has("message_max")) {
      builder.messageMax(request.number("message_max", 0));
    }
    if (System.getenv("HITO_LOG") != null) {
      builder.log(record -> System.err.println(record.text() + " [" + record.line() + "]"));
    }
    try {
      opened.client = builder.connect();
    } catch (HitoException error) {
      opened.failure = error;
      throw error;
    }
    return new LinkedHashMap<>(Map.of("status", 0));
  }

  private Map<String, Object> close(Request request) throws InterruptedException {
    Opened opened = clients.get(request.text("client"));
    Client client = opened.client;
    if (client != null) {
      client.close();
    } else {
      opened.lane.shutdownNow();
    }
    return new LinkedHashMap<>();
  }

  private void call(Request request) {
    RunningCall call = new RunningCall(request, threads);
    calls.put(request.id(), call);
    Opened opened = clients.get(request.text("client"));
    call.whenDone(
        reply -> {
          calls.remove(request.id());
          reply(request, reply);
        });
    opened.lane.execute(
        () -> {
          if (opened.client == null) {
            call.done(opened.failure);
          } else {
            call.begin(opened.client);
          }
        });
  }

  static Map<String, Object> failure(HitoException error) {
    Map<String, Object> reply = new LinkedHashMap<>();
    reply.put("status", error.code().number());
    reply.put("text", error.text());
    reply.put("details", HexFormat.of().formatHex(error.details().toByteArray()));
    reply.put("cursor", error.resumeCursor());
    reply.put("not_started", error.notStarted());
    return reply;
  }

  static void show(ResponseInfo said, Map<String, Object> reply) {
    reply.put("metadata", entries(said.metadata()));
    reply.put("trailers", entries(said.trailers()));
  }

  private static List<List<String>> entries(Metadata metadata) {
    List<List<String>> entries = new ArrayList<>();
    metadata.forEach(
        (key, value) -> entries.add(List.of(key, key.endsWith("-bin") ? hex(value) : text(value))));
    return entries;
  }

  private static String hex(ByteString value) {
    return HexFormat.of().formatHex(value.toByteArray());
  }

  private static String text(ByteString value) {
    return value.toStringUtf8().replace('\0', '\uFFFD');
  }
}
