package hito;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Executor;

/**
 * The one thread of a client: its sockets, its timers, and everything that its calls and
 * connections decide. What is said to be of the loop is touched on it only.
 */
final class EventLoop implements Executor {
  /** What wants to hear of a channel. */
  interface Handler {
    void ready(SelectionKey key);
  }

  /** Something to be done at a time. */
  static final class Timer implements Comparable<Timer> {
    private final long at;
    private final long number;
    private final Runnable task;
    private boolean isWaiting = true;

    private Timer(long at, long number, Runnable task) {
      this.at = at;
      this.number = number;
      this.task = task;
    }

    long at() {
      return at;
    }

    @Override
    public int compareTo(Timer other) {
      return at != other.at ? Long.signum(at - other.at) : Long.compare(number, other.number);
    }

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(number);
    }
  }

  private static final long MILLI = 1_000_000;

  private final Selector selector;
  private final Thread thread;
  private final Object lock = new Object();
  private ArrayDeque<Runnable> arrived = new ArrayDeque<>();
  private boolean isWoken;
  private boolean isClosed;
  // Of the loop.
  private ArrayDeque<Runnable> running = new ArrayDeque<>();
  private final TreeSet<Timer> timers = new TreeSet<>();
  private final List<Runnable> atTurnEnd = new ArrayList<>();
  private long timerCount;
  private boolean isStopping;

  EventLoop() {
    try {
      selector = Selector.open();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    thread = new Thread(this::run, "hito-loop");
    thread.setDaemon(true);
    thread.start();
  }

  boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  long now() {
    return System.nanoTime();
  }

  /** Runs a task on the loop; where the loop has ended, at once: nobody else is there any more. */
  @Override
  public void execute(Runnable task) {
    boolean wakes;
    synchronized (lock) {
      if (isClosed) {
        wakes = false;
      } else {
        arrived.add(task);
        wakes = !isWoken && !isCurrent();
        isWoken |= wakes;
        task = null;
      }
    }
    if (wakes) {
      selector.wakeup();
    }
    if (task != null) {
      synchronized (this) {
        guarded(task);
      }
    }
  }

  Timer at(long time, Runnable task) {
    Timer timer = new Timer(time, timerCount++, task);
    timers.add(timer);
    return timer;
  }

  Timer after(long nanos, Runnable task) {
    return at(now() + Math.max(0, nanos), task);
  }

  void cancel(Timer timer) {
    if (timer != null && timer.isWaiting) {
      timer.isWaiting = false;
      timers.remove(timer);
    }
  }

  /** Runs a task when what happens now is over, before anything is waited for. */
  void atTurnEnd(Runnable task) {
    atTurnEnd.add(task);
  }

  SelectionKey register(SelectableChannel channel, int operations, Handler handler)
      throws IOException {
    return channel.register(selector, operations, handler);
  }

  /** Ends the loop once there is nothing to be done at once. */
  void stop() {
    isStopping = true;
  }

  private void run() {
    while (true) {
      runArrived();
      runTimers();
      runTurnEnd();
      synchronized (lock) {
        if (isStopping && arrived.isEmpty()) {
          isClosed = true;
          break;
        }
      }
      try {
        select();
      } catch (IOException error) {
        broken(error);
      }
    }
    try {
      selector.close();
    } catch (IOException error) {
      broken(error);
    }
  }

  private void runArrived() {
    synchronized (lock) {
      ArrayDeque<Runnable> tasks = arrived;
      arrived = running;
      running = tasks;
      isWoken = false;
    }
    Runnable task;
    while ((task = running.poll()) != null) {
      guarded(task);
    }
  }

  private void runTimers() {
    if (timers.isEmpty()) {
      return;
    }
    long now = now();
    while (!timers.isEmpty() && timers.first().at - now <= 0) {
      Timer timer = timers.pollFirst();
      timer.isWaiting = false;
      guarded(timer.task);
    }
  }

  private void runTurnEnd() {
    for (int i = 0; i < atTurnEnd.size(); i++) {
      guarded(atTurnEnd.get(i));
    }
    atTurnEnd.clear();
  }

  private void select() throws IOException {
    boolean isIdle;
    synchronized (lock) {
      isIdle = arrived.isEmpty();
    }
    if (!isIdle) {
      selector.selectNow();
    } else if (timers.isEmpty()) {
      selector.select();
    } else {
      long nanos = timers.first().at - now();
      if (nanos <= 0) {
        selector.selectNow();
      } else {
        selector.select((nanos + MILLI - 1) / MILLI);
      }
    }
    for (SelectionKey key : selector.selectedKeys()) {
      guarded(
          () -> {
            try {
              ((Handler) key.attachment()).ready(key);
            } catch (CancelledKeyException error) {
              // Closed by what was handled before it.
            }
          });
    }
    selector.selectedKeys().clear();
    runTurnEnd();
  }

  private void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error error) {
      // One broken step must not end all other calls.
      broken(error);
    }
  }

  /** What should not happen, and is none of what a log hook is told. */
  private static void broken(Throwable error) {
    System.getLogger("hito").log(System.Logger.Level.ERROR, "a step of the client failed", error);
  }
}
