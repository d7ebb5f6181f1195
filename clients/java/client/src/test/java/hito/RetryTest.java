package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import hito.v1.Errors.ErrorDetails;
import hito.v1.Errors.ErrorReason;
import org.junit.Test;

/** When calls are made again (BEHAVIOUR.md, C2). */
public class RetryTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  public void aBurstIsFreeAndThenRepeatsComeAtARate() {
    Retry.Pacer pacer = new Retry.Pacer(new RetryBudget(3, 10));
    for (int i = 0; i < 3; i++) {
      assertEquals(0, pacer.delay(7));
    }
    assertEquals(SECOND / 10, pacer.delay(7), 10);
    assertEquals(SECOND / 5, pacer.delay(7), 10);
    assertFalse("a copy is made now or not at all", pacer.takeNow(7));
    assertTrue(pacer.takeNow(7 + SECOND));
  }

  private static HitoException.Unavailable unavailable(ErrorDetails details, String cursor) {
    HitoException.Said said = HitoException.Said.byServer(details.toByteArray(), cursor, false);
    return (HitoException.Unavailable) HitoException.of(StatusCode.UNAVAILABLE, "no", said);
  }

  private static long delay(HitoException error, Long deadline) {
    Retry.Pacer pacer = new Retry.Pacer(RetryBudget.DEFAULT);
    return new Retry.Repeats(pacer, deadline, -1).delay(error, true, 0);
  }

  @Test
  public void aWaitIsAsLongAsTheServerAsksAndNotBegunWhereItEndsTooLate() {
    ErrorDetails asks = ErrorDetails.newBuilder().setRetryDelayUs(300_000).build();
    assertEquals(SECOND * 3 / 10, delay(unavailable(asks, ""), SECOND), 10);
    assertEquals(Retry.Repeats.NEVER, delay(unavailable(asks, ""), SECOND / 10));
    ErrorDetails forEver = ErrorDetails.newBuilder().setRetryDelayUs(Long.MAX_VALUE).build();
    assertEquals(60 * SECOND, delay(unavailable(forEver, ""), null));
  }

  @Test
  public void whatLastsOrSaysWhereItContinuesIsNotRepeated() {
    ErrorDetails lasts =
        ErrorDetails.newBuilder().setReason(ErrorReason.ERROR_REASON_NO_MODEL).build();
    assertEquals(Retry.Repeats.NEVER, delay(unavailable(lasts, ""), null));
    ErrorDetails nothing = ErrorDetails.getDefaultInstance();
    assertEquals(Retry.Repeats.NEVER, delay(unavailable(nothing, "cursor"), null));
    assertEquals(Retry.Repeats.NEVER, delay(HitoException.internal("x"), null));
    assertTrue(delay(unavailable(nothing, ""), null) >= SECOND / 40);
  }

  @Test
  public void aCallWithoutATimeIsRepeatedForAsLongAsAUnaryOne() {
    Retry.Repeats repeats =
        new Retry.Repeats(new Retry.Pacer(RetryBudget.DEFAULT), null, SECOND);
    HitoException error = HitoException.unavailable("x");
    assertTrue(repeats.delay(error, true, 0) > 0);
    assertEquals(Retry.Repeats.NEVER, repeats.delay(error, true, SECOND));
    assertEquals(Retry.Repeats.NEVER, repeats.delay(error, false, 0));
  }
}
