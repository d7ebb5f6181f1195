package hito;

import hito.v1.Events.ConsumeRequest;
import hito.v1.Events.ConsumeResponse;
import hito.v1.Events.Settle;
import hito.v1.Events.SettleAction;
import hito.v1.Events.Settled;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** One connection of a consumer: what it holds, and what it waits to hear. Mostly of the loop. */
final class ConsumeSession {
  private final EventLoop loop;
  private final StreamCall call;
  private final Map<String, Delivery> held = new ConcurrentHashMap<>();
  private final Map<String, EventLoop.Timer> extending = new HashMap<>();
  private final Map<String, ArrayDeque<CompletableFuture<Boolean>>> answers = new HashMap<>();
  private final ArrayDeque<ConsumeRequest> outgoing = new ArrayDeque<>();
  private boolean isSending;
  private boolean isClosing;
  private volatile boolean isOpen = true;

  ConsumeSession(EventLoop loop, StreamCall call) {
    this.loop = loop;
    this.call = call;
  }

  StreamCall call() {
    return call;
  }

  boolean holds(Delivery delivery) {
    return isOpen && held.get(delivery.event().getId()) == delivery;
  }

  void send(ConsumeRequest request) {
    outgoing.add(request);
    sendNext();
  }

  private void sendNext() {
    if (isSending) {
      return;
    }
    ConsumeRequest next = outgoing.poll();
    if (next == null) {
      if (isClosing) {
        call.halfClose();
      }
      return;
    }
    isSending = true;
    call.send(next.toByteArray())
        .thenRun(
            () ->
                loop.execute(
                    () -> {
                      isSending = false;
                      sendNext();
                    }));
  }

  /** Takes an event; it is kept for as long as it is held where {@code extendNanos} is not 0. */
  Delivery take(ConsumeResponse response, long extendNanos) {
    Delivery delivery = new Delivery(this, response);
    held.put(delivery.event().getId(), delivery);
    if (extendNanos > 0) {
      keep(delivery, extendNanos);
    }
    return delivery;
  }

  private void keep(Delivery delivery, long nanos) {
    Runnable extend =
        () -> {
          if (holds(delivery)) {
            ask(delivery, SettleAction.SETTLE_ACTION_EXTEND, "", 0)
                .thenAccept(isKept -> loop.execute(() -> keepOn(delivery, isKept, nanos)));
          }
        };
    extending.put(delivery.event().getId(), loop.after(nanos, extend));
  }

  private void keepOn(Delivery delivery, boolean isKept, long nanos) {
    if (isKept && holds(delivery) && extending.containsKey(delivery.event().getId())) {
      keep(delivery, nanos);
    }
  }

  private void keepNoLonger(String id) {
    loop.cancel(extending.remove(id));
  }

  /** From any thread. */
  CompletableFuture<Boolean> settle(
      Delivery delivery, SettleAction action, String reason, long retryMicros) {
    CompletableFuture<Boolean> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          if (action != SettleAction.SETTLE_ACTION_EXTEND) {
            keepNoLonger(delivery.event().getId());
          }
          ask(delivery, action, reason, retryMicros)
              .thenAcceptAsync(result::complete, call.channelExecutor());
        });
    return result;
  }

  private CompletableFuture<Boolean> ask(
      Delivery delivery, SettleAction action, String reason, long retryMicros) {
    if (!holds(delivery)) {
      return CompletableFuture.completedFuture(false);
    }
    String id = delivery.event().getId();
    CompletableFuture<Boolean> answer = new CompletableFuture<>();
    answers.computeIfAbsent(id, key -> new ArrayDeque<>()).add(answer);
    Settle settle =
        Settle.newBuilder()
            .addEventIds(id)
            .setAction(action)
            .setReason(reason)
            .setRetryAfterUs(retryMicros)
            .build();
    send(ConsumeRequest.newBuilder().setSettle(settle).build());
    return answer.thenApply(
        isSettled -> {
          if (!isSettled || action != SettleAction.SETTLE_ACTION_EXTEND) {
            held.remove(id, delivery);
          }
          return isSettled;
        });
  }

  void heard(Settled settled) {
    settled.getEventIdsList().forEach(id -> answer(id, true));
    settled.getNotHeldList().forEach(id -> answer(id, false));
  }

  private void answer(String id, boolean outcome) {
    ArrayDeque<CompletableFuture<Boolean>> waiting = answers.get(id);
    if (waiting == null) {
      return;
    }
    CompletableFuture<Boolean> first = waiting.poll();
    if (waiting.isEmpty()) {
      answers.remove(id);
    }
    first.complete(outcome);
  }

  /** What is not settled goes back; the server ends the stream once it has answered everything. */
  void close() {
    isClosing = true;
    sendNext();
  }

  /** The connection is gone, and with it everything that it held. */
  void end() {
    isOpen = false;
    extending.values().forEach(loop::cancel);
    extending.clear();
    held.clear();
    List<ArrayDeque<CompletableFuture<Boolean>>> left = new ArrayList<>(answers.values());
    answers.clear();
    left.forEach(waiting -> waiting.forEach(answer -> answer.complete(false)));
  }
}
