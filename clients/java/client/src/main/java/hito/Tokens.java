package hito;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The tokens of a client that has a provider of them: asks it, one question at a time, and has
 * calls wait for the answer. {@link TokenMachine} decides. Of the loop.
 */
final class Tokens {
  /** A call that needs a token. */
  interface Waiter {
    void given(String text);

    void failed(HitoException error);
  }

  /** One question, for all calls that wait for its answer. */
  private final class Question extends FutureTask<Token> {
    EventLoop.Timer timer;

    Question() {
      super(provider::token);
    }

    @Override
    protected void done() {
      loop.execute(() -> answered(this));
    }
  }

  private final EventLoop loop;
  private final TokenProvider provider;
  private final long timeoutNanos;
  private final Executor worker;
  private final Log log;
  private final TokenMachine machine = new TokenMachine();
  private final Set<Waiter> waiters = new LinkedHashSet<>();
  private Question question;
  // What the provider threw last.
  private Throwable cause;
  private boolean isClosed;

  Tokens(EventLoop loop, TokenProvider provider, Duration timeout, Executor worker, Log log) {
    this.loop = loop;
    this.provider = provider;
    timeoutNanos = Channel.nanos(timeout);
    this.worker = worker;
    this.log = log;
  }

  /**
   * Tells the waiter the token for an attempt, or why there is none: now, and then this gives null,
   * or when a question has its answer. What is given back gives up waiting, which leaves the
   * question to the others.
   */
  Runnable token(Waiter waiter) {
    if (isClosed) {
      waiter.failed(Pool.closedError());
      return null;
    }
    TokenMachine.Step step = machine.next(loop.now());
    if (!(step instanceof TokenMachine.Wait wait)) {
      tell(waiter, step);
      return null;
    }
    waiters.add(waiter);
    if (wait.isNew()) {
      ask();
    }
    return () -> waiters.remove(waiter);
  }

  /** A server did not take it. */
  void refused(String text) {
    TokenMachine.Outcome outcome = machine.refused(text, loop.now(), chance());
    if (outcome != null) {
      cause = null;
      tell(outcome);
    }
  }

  /** A server answered a call that had it. */
  void taken(String text) {
    machine.taken(text);
  }

  /** Ends the question; who waits gets an error. */
  void close() {
    isClosed = true;
    endQuestion();
    for (Waiter waiter : takeWaiters()) {
      waiter.failed(Pool.closedError());
    }
  }

  private void ask() {
    Question asked = new Question();
    question = asked;
    // First: where there is no thread to be had the question ends all the same.
    asked.timer = loop.after(timeoutNanos, () -> tooLate(asked));
    worker.execute(asked);
  }

  private void tooLate(Question late) {
    if (late == question) {
      ended("the token provider did not answer in time", null);
    }
  }

  private void answered(Question done) {
    if (done != question) {
      return; // It was ended.
    }
    try {
      Token token = done.get();
      endQuestion();
      cause = null;
      told(machine.given(token, loop.now(), chance()));
    } catch (ExecutionException error) {
      // Its text is the provider's own, and may say what nobody should read.
      String kind = error.getCause().getClass().getSimpleName();
      ended("the token provider failed with " + kind, error.getCause());
    } catch (InterruptedException | CancellationException error) {
      ended("the token provider was interrupted", error);
    }
  }

  private void ended(String why, Throwable error) {
    endQuestion();
    cause = error;
    told(machine.failed(why, loop.now(), chance()));
  }

  private void endQuestion() {
    if (question != null) {
      Question last = question;
      question = null;
      loop.cancel(last.timer);
      last.cancel(true);
    }
  }

  private void told(TokenMachine.Outcome outcome) {
    tell(outcome);
    for (Waiter waiter : takeWaiters()) {
      tell(waiter, machine.afterQuestion(loop.now()));
    }
  }

  private List<Waiter> takeWaiters() {
    List<Waiter> all = new ArrayList<>(waiters);
    waiters.clear();
    return all;
  }

  private void tell(Waiter waiter, TokenMachine.Step step) {
    if (step instanceof TokenMachine.Use use) {
      waiter.given(use.text());
      return;
    }
    String reason = ((TokenMachine.Fail) step).reason();
    HitoException error =
        HitoException.of(StatusCode.UNAUTHENTICATED, reason, HitoException.Said.NOT_STARTED);
    if (cause != null) {
      error.initCause(cause);
    }
    waiter.failed(error);
  }

  private void tell(TokenMachine.Outcome outcome) {
    if (outcome instanceof TokenMachine.Rests rests) {
      log.tokenFailed(rests.reason(), rests.nanos());
    } else if (outcome instanceof TokenMachine.Refreshed refreshed) {
      log.tokenRefreshed(refreshed.validNanos());
    }
  }

  private static double chance() {
    return ThreadLocalRandom.current().nextDouble();
  }
}
