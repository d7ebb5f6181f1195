package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.Test;

/** Where calls go and what is dialled when, on a clock of the test's own (BEHAVIOUR.md, C1). */
public class PoolMachineTest {
  private static final long MILLI = 1_000_000;

  /** A pool of which a test says what becomes of it. */
  private static final class Pool {
    final PoolMachine machine;
    long now;
    private int last;

    Pool(int addresses, boolean inTurn, int connectionsMax) {
      machine = new PoolMachine(addresses, inTurn, connectionsMax);
    }

    PoolMachine.Step place(boolean waits) {
      return machine.place(new PoolMachine.Want(waits), now);
    }

    PoolMachine.Step place() {
      return place(false);
    }

    int answer(int place, int callsMax) {
      return machine.dialled(place, ++last, callsMax, now) ? last : -1;
    }

    void refuse(int place) {
      machine.dialFailed(place, false, now, 1);
    }

    List<Integer> connect(int callsMax) {
      place();
      List<Integer> numbers = new ArrayList<>();
      machine.takeDials().forEach(place -> numbers.add(answer(place, callsMax)));
      return numbers;
    }

    void lose(int number) {
      machine.retired(number, now, 1);
    }
  }

  private static PoolMachine.Use use(int number) {
    return new PoolMachine.Use(number);
  }

  private static PoolMachine.Wait until(long millis) {
    return new PoolMachine.Wait(millis * MILLI);
  }

  @Test
  public void theFirstThatAnswersIsUsedAndKept() {
    Pool pool = new Pool(3, false, 4);
    assertEquals(until(250), pool.place());
    assertEquals(List.of(0), pool.machine.takeDials());
    pool.place();
    assertEquals("one attempt for all that wait", List.of(), pool.machine.takeDials());
    pool.refuse(0);
    pool.place();
    assertEquals(List.of(1), pool.machine.takeDials());
    int number = pool.answer(1, 100);
    for (int i = 0; i < 5; i++) {
      assertEquals(use(number), pool.place());
    }
    assertEquals(List.of(), pool.machine.takeDials());
  }

  @Test
  public void oneThatSaysNothingHoldsUpTheNextForAQuarterOfASecond() {
    Pool pool = new Pool(2, false, 4);
    pool.place();
    assertEquals(List.of(0), pool.machine.takeDials());
    pool.now = 240 * MILLI;
    pool.place();
    assertEquals(List.of(), pool.machine.takeDials());
    pool.now = 250 * MILLI;
    pool.place();
    assertEquals(List.of(1), pool.machine.takeDials());
    assertEquals(use(pool.answer(1, 100)), pool.place());
    assertEquals("the slow one is not needed any more", -1, pool.answer(0, 100));
  }

  @Test
  public void oneThatHasBegunToAnswerIsNotOneThatSaysNothing() {
    Pool pool = new Pool(2, false, 4);
    pool.place();
    assertEquals(List.of(0), pool.machine.takeDials());
    pool.now = 200 * MILLI;
    pool.machine.heard(0, false, pool.now);
    pool.now = 250 * MILLI;
    assertEquals(until(1200), pool.place());
    pool.now = 800 * MILLI;
    pool.machine.heard(0, true, pool.now);
    assertEquals(until(1050), pool.place());
    assertEquals(List.of(), pool.machine.takeDials());
    pool.now = 1050 * MILLI;
    pool.place();
    assertEquals(List.of(1), pool.machine.takeDials());
  }

  @Test
  public void whereNoneAnswersACallFailsOrWaitsForTheNextAttempt() {
    Pool pool = new Pool(2, false, 4);
    for (int place = 0; place < 2; place++) {
      pool.place();
      assertEquals(List.of(place), pool.machine.takeDials());
      pool.refuse(place);
    }
    assertEquals(new PoolMachine.Fail(), pool.place());
    assertEquals(until(50), pool.place(true));
  }

  @Test
  public void attemptsAtAnAddressComeMoreAndMoreSlowly() {
    for (boolean drops : new boolean[] {false, true}) {
      Pool pool = new Pool(1, false, 4);
      List<Long> waits = new ArrayList<>();
      for (int i = 0; i < 9; i++) {
        if (drops) {
          pool.lose(pool.connect(100).get(0));
        } else {
          pool.place(true);
          assertEquals(List.of(0), pool.machine.takeDials());
          pool.refuse(0);
        }
        // A server that can be reached is waited for also by who does not wait for servers.
        PoolMachine.Wait step = (PoolMachine.Wait) pool.place(!drops);
        waits.add((step.until() - pool.now) / MILLI);
        pool.now = step.until();
      }
      assertEquals(List.of(50L, 100L, 200L, 400L, 800L, 1600L, 3200L, 5000L, 5000L), waits);
      int number = pool.connect(100).get(0);
      pool.machine.served(number);
      pool.lose(number);
      pool.place();
      assertEquals("made again at once", List.of(0), pool.machine.takeDials());
    }
  }

  @Test
  public void aCertificateThatIsNotTrustedIsNotWaitedFor() {
    Pool pool = new Pool(1, false, 4);
    pool.place(true);
    pool.machine.dialFailed(0, true, pool.now, 1);
    assertEquals(new PoolMachine.Fail(), pool.place(true));
  }

  @Test
  public void aCallWithoutRoomOpensAConnectionUpToTheirMaximumAndWaitsThen() {
    Pool pool = new Pool(2, false, 2);
    int first = pool.connect(1).get(0);
    assertEquals(use(first), pool.place());
    assertTrue(pool.place() instanceof PoolMachine.Wait);
    assertEquals(List.of(0), pool.machine.takeDials());
    int second = pool.answer(0, 1);
    assertEquals(use(second), pool.place());
    assertTrue(pool.place() instanceof PoolMachine.Wait);
    assertEquals(List.of(), pool.machine.takeDials());
    pool.machine.callEnded(first);
    assertEquals(use(first), pool.place());
  }

  @Test
  public void callsGoToAllServersInTurnButNotToOneThatDoesNotServe() {
    Pool pool = new Pool(2, true, 4);
    List<Integer> numbers = pool.connect(100);
    assertEquals(2, numbers.size());
    List<PoolMachine.Step> steps = List.of(pool.place(), pool.place(), pool.place());
    assertEquals(List.of(use(numbers.get(1)), use(numbers.get(0)), use(numbers.get(1))), steps);
    pool.machine.says(0, false);
    for (int i = 0; i < 4; i++) {
      assertEquals(use(numbers.get(1)), pool.place());
    }
    pool.machine.says(1, false);
    assertTrue("as if all did", pool.place() instanceof PoolMachine.Use);
  }

  @Test
  public void aCopyGoesToAnotherServerIfThereIsOne() {
    Pool pool = new Pool(2, true, 4);
    List<Integer> numbers = pool.connect(1);
    assertEquals(use(numbers.get(1)), pool.machine.placeBeside(List.of(numbers.get(0))));
    assertEquals(use(numbers.get(0)), pool.machine.placeBeside(List.of(numbers.get(0))));
    assertNull("none has room", pool.machine.placeBeside(List.of()));
  }
}
