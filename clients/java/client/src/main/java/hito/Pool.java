package hito;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The connections of a client: gives each call one, makes them as they are needed, and has calls
 * wait for room. {@link PoolMachine} decides; this dials, wakes and keeps time. Of the loop.
 */
final class Pool implements Connection.Owner {
  /** A call that waits for its connection. */
  interface Waiter {
    /** With a place for one call, which {@link Connection#open} uses or {@link #release} gives back. */
    void connected(Connection connection);

    void failed(HitoException error);
  }

  private static final class Waiting {
    final PoolMachine.Want want;
    final Waiter waiter;

    Waiting(PoolMachine.Want want, Waiter waiter) {
      this.want = want;
      this.waiter = waiter;
    }
  }

  private static final long CLOSE_NANOS = 2_500_000_000L;

  final EventLoop loop;
  private final Settings settings;
  private final Executor worker;
  private final PoolMachine machine;
  private final Map<Integer, Connection> connections = new HashMap<>();
  private final Set<Connection> alive = new LinkedHashSet<>();
  private final Map<Integer, Dial> dials = new HashMap<>();
  private final Map<Integer, HealthCheck> checks = new HashMap<>();
  private final Set<Resting> resting = new LinkedHashSet<>();
  private final Set<Waiting> waiters = new LinkedHashSet<>();
  private HitoException failure;
  private int lastNumber;
  private EventLoop.Timer timer;
  private boolean isClosed;
  private boolean isServing;
  private boolean isAnythingNew;
  private Runnable onClosed;

  Pool(EventLoop loop, Settings settings, Executor worker) {
    this.loop = loop;
    this.settings = settings;
    this.worker = worker;
    machine =
        new PoolMachine(
            settings.addresses().size(), settings.roundRobin(), settings.connectionsMax());
  }

  /** Why the last attempt found no server; null before one did not. */
  HitoException failure() {
    return failure;
  }

  // Calls

  /**
   * Gives the waiter a connection, now or later, or says why there is none. What is given back
   * gives up waiting.
   */
  Runnable connection(boolean waits, Waiter waiter) {
    if (isClosed) {
      waiter.failed(closedError());
      return () -> {};
    }
    Waiting waiting = new Waiting(new PoolMachine.Want(waits), waiter);
    PoolMachine.Step step = machine.place(waiting.want, loop.now());
    if (step instanceof PoolMachine.Wait wait) {
      waiters.add(waiting);
      dial();
      arm(wait.until());
      return () -> waiters.remove(waiting);
    }
    dial();
    answer(waiting, step);
    return () -> {};
  }

  private void answer(Waiting waiting, PoolMachine.Step step) {
    if (step instanceof PoolMachine.Use use) {
      waiting.waiter.connected(connections.get(use.number()));
    } else {
      waiting.waiter.failed(unreachable());
    }
  }

  /** A connection for a copy of a call that has those; null where none has room. */
  Connection connectionBeside(Collection<Integer> used) {
    PoolMachine.Use use = isClosed ? null : machine.placeBeside(used);
    return use == null ? null : connections.get(use.number());
  }

  /** The caller opens no call on it after all. */
  void release(Connection connection) {
    callEnded(connection);
  }

  /** A wait before another attempt. */
  private final class Resting {
    final Runnable task;
    EventLoop.Timer timer;

    Resting(Runnable task) {
      this.task = task;
    }

    void end() {
      if (resting.remove(this)) {
        loop.cancel(timer);
        task.run();
      }
    }
  }

  /** Runs the task later; no later than when the client is closed. What is given back ends it. */
  Runnable rest(long nanos, Runnable task) {
    Resting rest = new Resting(task);
    resting.add(rest);
    rest.timer = loop.after(isClosed ? 0 : nanos, rest::end);
    return () -> {
      resting.remove(rest);
      loop.cancel(rest.timer);
    };
  }

  void close(Runnable done) {
    if (isClosed) {
      done.run();
      return;
    }
    isClosed = true;
    onClosed = done;
    loop.cancel(timer);
    List<Waiting> left = new ArrayList<>(waiters);
    waiters.clear();
    left.forEach(waiting -> waiting.waiter.failed(closedError()));
    new ArrayList<>(resting).forEach(Resting::end);
    checks.values().forEach(HealthCheck::cancel);
    checks.clear();
    new ArrayList<>(dials.values()).forEach(dial -> dial.cancel("the client was closed"));
    new ArrayList<>(alive).forEach(Connection::close);
    loop.after(
        CLOSE_NANOS,
        () -> new ArrayList<>(alive).forEach(c -> c.abort(HitoException.unavailable("closed"))));
    closedIfDone();
  }

  private void closedIfDone() {
    if (isClosed && alive.isEmpty() && dials.isEmpty() && onClosed != null) {
      Runnable done = onClosed;
      onClosed = null;
      done.run();
    }
  }

  boolean isClosed() {
    return isClosed;
  }

  static HitoException closedError() {
    return HitoException.of(
        StatusCode.CANCELLED, "the client is closed", HitoException.Said.NOT_STARTED);
  }

  // What connections tell

  @Override
  public void heard(Connection connection, boolean isSecured) {
    Dial dial = dials.get(connection.place);
    if (dial != null && dial.connection() == connection) {
      machine.heard(connection.place, isSecured, loop.now());
    }
  }

  @Override
  public void established(Connection connection) {
    int place = connection.place;
    Dial dial = dials.remove(place);
    if (dial != null) {
      dial.done();
      String server = connection.peer.serverId;
      settings.log().connected(settings.addresses().get(place), server, dial.nanos());
    }
    connection.number = ++lastNumber;
    connections.put(connection.number, connection);
    alive.add(connection);
    long callsMax = connection.peer.callsMax;
    boolean isWanted =
        !isClosed && machine.dialled(place, connection.number, callsMax, loop.now());
    if (isWanted) {
      check(place);
    }
    serve();
    if (!isWanted) {
      connection.close();
    }
  }

  @Override
  public void retired(Connection connection) {
    if (connection.number == 0) {
      dialFailed(connection);
      return;
    }
    machine.retired(connection.number, loop.now(), chance());
    int place = connection.place;
    HealthCheck check = checks.get(place);
    if (check != null && check.connection() == connection) {
      // A draining server waits for its calls to end.
      checks.remove(place);
      check.cancel();
      check(place);
    }
    serve();
  }

  private void dialFailed(Connection connection) {
    Dial dial = dials.get(connection.place);
    if (dial == null || dial.connection() != connection) {
      return;
    }
    dials.remove(connection.place);
    dial.done();
    failure = dial.failure();
    if (!isClosed) {
      settings.log().connectFailed(settings.addresses().get(connection.place), failure.text());
    }
    machine.dialFailed(connection.place, failure.isUntrusted(), loop.now(), chance());
    serve();
    closedIfDone();
  }

  @Override
  public void served(Connection connection) {
    machine.served(connection.number);
  }

  @Override
  public void callEnded(Connection connection) {
    machine.callEnded(connection.number);
    serveFirst();
  }

  @Override
  public void ended(Connection connection) {
    connections.remove(connection.number);
    if (alive.remove(connection)) {
      Address address = settings.addresses().get(connection.place);
      settings.log().disconnected(address, connection.endsInOrder(), connection.endReason());
    }
    closedIfDone();
  }

  // Waiting

  /** Something has changed: when what happens now is over, each waiter gets what there is. */
  private void serve() {
    isAnythingNew = true;
    serveFirst();
  }

  /** There is more room, and nothing else has changed. */
  private void serveFirst() {
    if (!isServing && !isClosed && !waiters.isEmpty()) {
      isServing = true;
      loop.atTurnEnd(this::serveWaiters);
    }
  }

  /**
   * In the order in which they came. Where there is more room alone, the first that must wait on is
   * the last that is asked.
   */
  private void serveWaiters() {
    isServing = false;
    boolean asksAll = isAnythingNew;
    isAnythingNew = false;
    long until = PoolMachine.NEVER;
    for (Waiting waiting : new ArrayList<>(waiters)) {
      if (isClosed) {
        return;
      }
      if (!waiters.contains(waiting)) {
        continue;
      }
      PoolMachine.Step step = machine.place(waiting.want, loop.now());
      if (step instanceof PoolMachine.Wait wait) {
        until = Math.min(until, wait.until());
        if (!asksAll) {
          break;
        }
      } else {
        waiters.remove(waiting);
        answer(waiting, step);
      }
    }
    dial();
    arm(until);
  }

  private void arm(long until) {
    if (until == PoolMachine.NEVER || isClosed) {
      return;
    }
    if (timer != null && timer.at() - until <= 0) {
      return;
    }
    loop.cancel(timer);
    timer =
        loop.at(
            until,
            () -> {
              timer = null;
              serve();
            });
  }

  private HitoException unreachable() {
    // A new one: the same error raised by several calls would be shared by them.
    return HitoException.unreachable(failure == null ? "no server answers" : failure.text());
  }

  // Connecting

  private void dial() {
    for (int place : machine.takeDials()) {
      settings.log().connecting(settings.addresses().get(place));
      dials.put(place, new Dial(loop, settings, worker, place, this));
    }
  }

  /** Asks the server at an address how it is, unless it is asked already. */
  private void check(int place) {
    int number = machine.connection(place);
    if (!settings.healthCheck() || isClosed || checks.containsKey(place) || number < 0) {
      return;
    }
    HealthCheck check =
        new HealthCheck(
            loop,
            connections.get(number),
            () -> machine.take(number),
            serving -> {
              machine.says(place, serving);
              serve();
            });
    checks.put(place, check);
    check.start();
  }

  private static double chance() {
    return ThreadLocalRandom.current().nextDouble();
  }
}
