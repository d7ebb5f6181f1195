package hito;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Chooses the connection of a call, and says when which address is dialled (clients/BEHAVIOUR.md,
 * C1). Pure: it neither dials nor waits; time (nanoseconds) and chance are arguments.
 */
final class PoolMachine {
  /** How long an address that says nothing holds up the next one. */
  static final long HOLD_UP = 250_000_000L;

  /** How long one does that has begun to answer: what is left of the handshake is our work, too. */
  static final long HANDSHAKE_HOLD_UP = 1_000_000_000L;

  /** A connection that lasted so long was none of a server that falls over at once. */
  static final long STEADY_AFTER = 5_000_000_000L;

  /** No time. */
  static final long NEVER = Long.MAX_VALUE;

  /** What becomes of a call. */
  sealed interface Step {}

  /** It goes to this connection; its place is taken, and given back by {@link #callEnded}. */
  record Use(int number) implements Step {}

  /** Ask again when something has changed, at the latest then; {@link #NEVER} for no time. */
  record Wait(long until) implements Step {}

  /** No server can be reached. */
  record Fail() implements Step {}

  /** What a call wants. */
  static final class Want {
    /** Whether it waits where no server can be reached. */
    final boolean waits;

    // Its place in the round; negative before it has one.
    private int turn = -1;

    Want(boolean waits) {
      this.waits = waits;
    }
  }

  private static final class Link {
    final int number;
    final long callsMax;
    final long since;
    long calls;
    boolean hasServed;

    Link(int number, long callsMax, long since) {
      this.number = number;
      this.callsMax = callsMax;
      this.since = since;
    }

    boolean hasRoom() {
      return calls < callsMax;
    }

    Use take() {
      calls++;
      return new Use(number);
    }
  }

  private static final class Place {
    final List<Link> links = new ArrayList<>();
    boolean isDialling;
    // Until when it holds up the others.
    long holdsUpUntil;
    boolean rests;
    long restsUntil;
    // In a row.
    int failures;
    // Whether the last attempt found no server.
    boolean isUnreachable;
    // Whether it showed a certificate that is not trusted.
    boolean isUntrusted;
    // Whether it says of itself that it does not serve.
    boolean isNotServing;

    boolean isResting(long now) {
      return rests && now - restsUntil < 0;
    }

    Link withRoom() {
      for (Link link : links) {
        if (link.hasRoom()) {
          return link;
        }
      }
      return null;
    }

    void rest(long now, double chance) {
      rests = true;
      restsUntil = now + Retry.backoff(failures, chance);
      failures++;
    }
  }

  private final List<Place> places = new ArrayList<>();
  private final boolean inTurn;
  private final int connectionsMax;
  private int preferred;
  private int turn;
  private List<Integer> toDial = new ArrayList<>();

  PoolMachine(int addresses, boolean inTurn, int connectionsMax) {
    for (int i = 0; i < Math.max(1, addresses); i++) {
      places.add(new Place());
    }
    this.inTurn = inTurn;
    this.connectionsMax = connectionsMax;
  }

  // Calls

  /** Where a call goes; the addresses of {@link #takeDials} are to be dialled after it. */
  Step place(Want want, long now) {
    List<Integer> order = order(want);
    for (boolean notServing : new boolean[] {false, true}) {
      List<Integer> group = new ArrayList<>(order.size());
      for (int place : order) {
        if (places.get(place).isNotServing == notServing) {
          group.add(place);
        }
      }
      Step step = inTurn ? next(group, now) : first(group, now);
      if (step != null) {
        return step;
      }
    }
    return unreachable(want);
  }

  /**
   * A connection for a copy of a call that has those; null where none has room. To another address
   * if there is one, else another connection, else the same. Nothing is dialled for it.
   */
  Use placeBeside(Collection<Integer> used) {
    Link best = null;
    int bestRank = Integer.MAX_VALUE;
    for (Place place : places) {
      if (place.isNotServing) {
        continue;
      }
      boolean isUsed = place.links.stream().anyMatch(link -> used.contains(link.number));
      for (Link link : place.links) {
        int rank = !isUsed ? 0 : used.contains(link.number) ? 2 : 1;
        if (link.hasRoom() && rank < bestRank) {
          best = link;
          bestRank = rank;
        }
      }
    }
    return best == null ? null : best.take();
  }

  /** Takes a place on one connection, if it has one. */
  boolean take(int number) {
    Link link = link(number);
    if (link == null || !link.hasRoom()) {
      return false;
    }
    link.take();
    return true;
  }

  void callEnded(int number) {
    Link link = link(number);
    if (link != null) {
      link.calls--;
    }
  }

  /** The server has answered a call there. */
  void served(int number) {
    Place place = placeOf(number);
    if (place != null) {
      link(number).hasServed = true;
      place.failures = 0;
    }
  }

  /** What is to be dialled, once. */
  List<Integer> takeDials() {
    if (toDial.isEmpty()) {
      return List.of();
    }
    List<Integer> dials = toDial;
    toDial = new ArrayList<>();
    return dials;
  }

  // Connections

  /** A server has answered; false where it is not wanted, as another one was faster. */
  boolean dialled(int at, int number, long callsMax, long now) {
    Place place = places.get(at);
    place.isDialling = false;
    place.rests = false;
    place.isUnreachable = false;
    place.isUntrusted = false;
    boolean isOvertaken =
        places.stream().anyMatch(o -> o != place && !o.links.isEmpty() && !o.isNotServing);
    if (!inTurn && isOvertaken && place.links.isEmpty()) {
      return false;
    }
    place.links.add(new Link(number, callsMax, now));
    return true;
  }

  /**
   * A server that is dialled has begun the handshake, or has done with it: it is not one that says
   * nothing. A call whose turn it is waits no longer for that (C1.3).
   */
  void heard(int at, boolean isSecured, long now) {
    if (!inTurn) {
      places.get(at).holdsUpUntil = now + (isSecured ? HOLD_UP : HANDSHAKE_HOLD_UP);
    }
  }

  void dialFailed(int at, boolean untrusted, long now, double chance) {
    Place place = places.get(at);
    place.isDialling = false;
    place.isUnreachable = true;
    place.isUntrusted = untrusted;
    place.rest(now, chance);
  }

  /** A connection takes no more calls. */
  void retired(int number, long now, double chance) {
    Place place = placeOf(number);
    if (place == null) {
      return;
    }
    Link link = link(number);
    place.links.remove(link);
    if (place.links.isEmpty()) {
      place.isNotServing = false;
    }
    // A server that takes connections and drops them must not be stormed with them.
    if (link.hasServed || now - link.since >= STEADY_AFTER) {
      place.failures = 0;
    } else {
      place.rest(now, chance);
    }
  }

  /** What the server at an address says of itself. */
  void says(int at, boolean serving) {
    Place place = places.get(at);
    place.isNotServing = !serving && !place.links.isEmpty();
  }

  /** A connection to an address that takes calls; negative for none. */
  int connection(int at) {
    List<Link> links = places.get(at).links;
    return links.isEmpty() ? -1 : links.get(0).number;
  }

  // Choosing

  private List<Integer> order(Want want) {
    int count = places.size();
    int first = preferred;
    if (inTurn) {
      if (want.turn < 0) {
        want.turn = turn;
        turn = (turn + 1) % count;
      }
      first = want.turn;
    }
    List<Integer> order = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      order.add((i + first) % count);
    }
    return order;
  }

  /** The first server that answers, and as long as it does; null where none can be reached. */
  private Step first(List<Integer> group, long now) {
    for (int at : group) {
      Place place = places.get(at);
      if (!place.links.isEmpty()) {
        preferred = at;
        Link link = place.withRoom();
        return link != null ? link.take() : new Wait(dialMore(at, now));
      }
    }
    for (int at : group) {
      Place place = places.get(at);
      if (place.isDialling) {
        if (now - place.holdsUpUntil < 0) {
          return new Wait(place.holdsUpUntil);
        }
      } else if (!place.isResting(now)) {
        dial(at, now);
        return new Wait(now + HOLD_UP);
      }
    }
    return null;
  }

  /** One server after the other. Those that do not answer are dialled beside. */
  private Step next(List<Integer> group, long now) {
    for (int at : group) {
      Place place = places.get(at);
      if (place.links.isEmpty() && !place.isDialling && !place.isResting(now)) {
        dial(at, now);
      }
    }
    for (int at : group) {
      Place place = places.get(at);
      Link link = place.withRoom();
      if (link != null) {
        return link.take();
      }
      boolean isNew = place.links.isEmpty() && !place.isUnreachable && place.isDialling;
      if (isNew && now - place.holdsUpUntil < 0) {
        return new Wait(place.holdsUpUntil);
      }
    }
    Wait wait = null;
    for (int at : group) {
      if (!places.get(at).links.isEmpty()) {
        wait = earlier(wait, dialMore(at, now));
      }
    }
    return wait;
  }

  private static Wait earlier(Wait wait, long time) {
    boolean isFirst = wait == null || wait.until() == NEVER;
    return isFirst || time != NEVER && time - wait.until() < 0 ? new Wait(time) : wait;
  }

  /**
   * Another connection to an address whose connections are full, where it may have one; otherwise
   * when to look again.
   */
  private long dialMore(int at, long now) {
    Place place = places.get(at);
    if (place.links.size() >= connectionsMax || place.isDialling) {
      return NEVER;
    }
    if (place.isResting(now)) {
      return place.restsUntil;
    }
    dial(at, now);
    return NEVER;
  }

  private Step unreachable(Want want) {
    // A connection that was lost is made again by the call; a server that was not found is not
    // waited for unless that is asked for.
    boolean isToCome =
        places.stream()
            .anyMatch(p -> p.isDialling || !p.isUnreachable || want.waits && !p.isUntrusted);
    if (!isToCome) {
      return new Fail();
    }
    Wait wait = new Wait(NEVER);
    for (Place place : places) {
      if (!place.isDialling && place.rests) {
        wait = earlier(wait, place.restsUntil);
      }
    }
    return wait;
  }

  private void dial(int at, long now) {
    Place place = places.get(at);
    place.isDialling = true;
    place.holdsUpUntil = now + HOLD_UP;
    toDial.add(at);
  }

  private Link link(int number) {
    for (Place place : places) {
      for (Link link : place.links) {
        if (link.number == number) {
          return link;
        }
      }
    }
    return null;
  }

  private Place placeOf(int number) {
    for (Place place : places) {
      for (Link link : place.links) {
        if (link.number == number) {
          return place;
        }
      }
    }
    return null;
  }
}
