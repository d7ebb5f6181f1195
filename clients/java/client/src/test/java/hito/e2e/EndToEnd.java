package hito.e2e;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The client against a real server, which clients/java/tests/end_to_end.py starts, kills and
 * starts again as the lines on standard output ask for.
 */
public final class EndToEnd {
  /** One scenario. */
  private interface Scenario {
    void run() throws Exception;
  }

  private EndToEnd() {}

  /** Runs all; the exit status says whether all went well. */
  public static void main(String[] arguments) {
    CallScenarios calls = new CallScenarios(System.getenv());
    StreamScenarios streams = new StreamScenarios(System.getenv());
    Map<String, Scenario> all = new LinkedHashMap<>();
    all.put("a goal with tasks, one completed, read with min_cursor", calls::journey);
    all.put("errors are typed, with reason and field violations", calls::typedErrors);
    all.put("a wrong certificate or host name is refused", calls::wrongServers);
    all.put("a certificate of the client's own", calls::mutualTls);
    all.put("calls of the four kinds, blocking", streams::fourKinds);
    all.put("calls of the four kinds, with futures and publishers", streams::fourKindsAsync);
    all.put("deadlines and cancellation", calls::deadlines);
    all.put("a write under one key has its effect once", calls::sameKey);
    all.put("metadata, trailers, interceptors and trace contexts", calls::metadata);
    all.put("tokens from a callback", calls::tokens);
    all.put("a consumer of a group", streams::consumer);
    all.put("a watch resumes over kill -9 without loss or doubles", streams::resuming);
    all.put("a closed client ends its calls", calls::closed);
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
}
