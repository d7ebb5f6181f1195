package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.time.Duration;
import org.junit.Test;

/** When a provider is asked and what calls have, on a clock of the test's own (C5.8). */
public class TokenMachineTest {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1000 * MILLI;
  private static final TokenMachine.Step ASK = new TokenMachine.Wait(true);
  private static final TokenMachine.Step WAIT = new TokenMachine.Wait(false);

  private final TokenMachine machine = new TokenMachine();
  // Near the end of what a clock of nanoseconds counts to: times are compared by differences.
  private long now = Long.MAX_VALUE - SECOND;

  private static TokenMachine.Step use(String text) {
    return new TokenMachine.Use(text);
  }

  private void ask() {
    assertEquals(ASK, machine.next(now));
  }

  private TokenMachine.Outcome give(Token token) {
    ask();
    return machine.given(token, now, 1);
  }

  private void give(String text) {
    assertEquals(new TokenMachine.Refreshed(-1), give(Token.of(text)));
  }

  private TokenMachine.Outcome fail() {
    ask();
    return machine.failed("gone", now, 1);
  }

  private TokenMachine.Outcome refuse(String text) {
    return machine.refused(text, now, 1);
  }

  private static TokenMachine.Outcome rests(String reason, long millis) {
    return new TokenMachine.Rests(reason, millis * MILLI);
  }

  @Test
  public void oneQuestionIsForAll() {
    ask();
    assertEquals(WAIT, machine.next(now));
    machine.given(Token.of("a"), now, 1);
    assertEquals(use("a"), machine.afterQuestion(now));
    now += 1_000_000 * SECOND;
    assertEquals("nobody knows when it expires", use("a"), machine.next(now));
  }

  @Test
  public void aTokenIsRenewedTenSecondsBeforeItExpires() {
    give(Token.of("a", Duration.ofSeconds(1000)));
    now += 989 * SECOND;
    assertEquals(use("a"), machine.next(now));
    now += 2 * SECOND;
    assertEquals(rests("gone", 50), fail());
    assertEquals("it is valid still", use("a"), machine.afterQuestion(now));
    now += 49 * MILLI;
    assertEquals("it rests", use("a"), machine.next(now));
    now += MILLI;
    assertEquals(rests("gone", 100), fail());
    now += 9 * SECOND;
    ask();
    assertEquals(new TokenMachine.Fail("gone"), machine.afterQuestion(now));
  }

  @Test
  public void aTokenOfAShortTimeIsRenewedAtATenthOfThat() {
    assertEquals(
        new TokenMachine.Refreshed(50 * SECOND), give(Token.of("a", Duration.ofSeconds(50))));
    now += 44 * SECOND;
    assertEquals(use("a"), machine.next(now));
    now += SECOND;
    give("b");
    assertEquals(use("b"), machine.next(now));
  }

  @Test
  public void aTokenThatHasExpiredIsNotUsed() {
    give(Token.of("a", Duration.ofSeconds(1000)));
    now += 1000 * SECOND;
    fail();
    assertEquals(new TokenMachine.Fail("gone"), machine.next(now));
  }

  @Test
  public void aVeryLongTimeIsNoTimeThatIsOver() {
    give(Token.of("a", Duration.ofSeconds(Long.MAX_VALUE)));
    assertEquals(use("a"), machine.next(now));
  }

  @Test
  public void aSecondRefusalInARowRests() {
    give("a");
    assertNull(refuse("a"));
    give("b");
    String reason = "the server refuses the tokens of the provider";
    assertEquals(rests(reason, 50), refuse("b"));
    assertEquals(new TokenMachine.Fail(reason), machine.next(now));
    now += 50 * MILLI;
    give("c");
    assertEquals(rests(reason, 100), refuse("c"));
    now += 100 * MILLI;
    give("d");
    machine.taken("d");
    assertNull("the row has ended", refuse("d"));
    give("e");
    assertNull(refuse("e"));
    give("f");
    assertEquals("and the waits begin anew", rests(reason, 50), refuse("f"));
  }

  @Test
  public void aProvenTokenThatIsRevokedCostsNoRest() {
    for (String text : new String[] {"a", "b", "c"}) {
      give(text);
      machine.taken(text);
      assertNull(refuse(text));
    }
    give("d");
    assertNull("another one was refused", refuse("a"));
    machine.taken("a");
    assertEquals(use("d"), machine.next(now));
  }

  @Test
  public void theRefusedTokenIsNotTakenAgain() {
    give("a");
    refuse("a");
    String reason = "the token provider gave the token that was refused";
    assertEquals(rests(reason, 50), give(Token.of("a")));
    assertEquals(new TokenMachine.Fail(reason), machine.next(now));
  }

  @Test
  public void theTokenThatIsRefusedInItsMarginIsNotUsedOn() {
    give(Token.of("a", Duration.ofSeconds(1000)));
    now += 995 * SECOND;
    ask();
    refuse("a");
    machine.failed("gone", now, 1);
    assertEquals(new TokenMachine.Fail("gone"), machine.afterQuestion(now));
  }

  @Test
  public void whatMayNotBeSentIsNoToken() {
    Token[] all = {
      null, Token.of(null), Token.of(""), Token.of("x".repeat(257)), Token.of("a\0b"),
      Token.of("\ud800"), Token.of("a", Duration.ZERO), Token.of("a", Duration.ofSeconds(-1))
    };
    for (Token token : all) {
      assertTrue(give(token) instanceof TokenMachine.Rests);
      now += 10 * SECOND;
    }
    give("ñ".repeat(128));
  }

  @Test
  public void aTokenDoesNotShowItself() {
    assertFalse(Token.of("s3cret", Duration.ofSeconds(1)).toString().contains("s3cret"));
  }
}
