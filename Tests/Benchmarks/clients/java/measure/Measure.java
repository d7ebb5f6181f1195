package measure;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Calls without pause, and what one takes of this process's time. */
public final class Measure {
  private static final long WARM_UP_MS = 3000;

  public final String address;
  public final String caFile;
  public final String token;
  private final double seconds;
  private final int inFlight;
  private final AtomicLong count = new AtomicLong();
  private volatile boolean isOver;

  /** From ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT. */
  public Measure(String[] arguments) throws Exception {
    address = arguments[0];
    caFile = arguments[1];
    token = Files.readString(Path.of(arguments[2])).strip();
    seconds = Double.parseDouble(arguments[3]);
    inFlight = Integer.parseInt(arguments[4]);
  }

  /** Prints calls, seconds and CPU of a call as one line of JSON. `call` begins one, and has it say when it has ended. */
  public void run(Consumer<Consumer<Throwable>> call) throws Exception {
    for (int caller = 0; caller < inFlight; caller++) begin(call);
    Thread.sleep(WARM_UP_MS);
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long calls = count.get();
    long began = System.nanoTime();
    long cpu = system.getProcessCpuTime();
    Thread.sleep((long) (seconds * 1000));
    calls = count.get() - calls;
    cpu = system.getProcessCpuTime() - cpu;
    double took = (System.nanoTime() - began) / 1e9;
    isOver = true;
    System.out.printf(
        Locale.ROOT, "{\"calls\": %d, \"seconds\": %f, \"cpu_us_per_call\": %f}%n", calls, took, cpu / 1e3 / calls);
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private void begin(Consumer<Consumer<Throwable>> call) {
    call.accept(failure -> {
      if (isOver) return;
      if (failure != null) {
        failure.printStackTrace();
        Runtime.getRuntime().halt(1);
      }
      count.incrementAndGet();
      begin(call);
    });
  }
}
