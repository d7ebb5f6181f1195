package hito;

/** What the peer may still send, and what we owe it for bytes that were consumed (W9). */
final class ReceiveWindow {
  private final long step;
  private long available;
  private long owed;

  ReceiveWindow(long initial) {
    available = initial;
    // In large steps: a CREDIT frame per message would double the frames (W9.5). A small window
    // goes back at once, so that the server never lacks the credit for a fragment.
    step = initial >= 2L * Wire.FRAGMENT_MIN ? Math.max(initial / 4, Wire.FRAGMENT_MIN) : 1;
  }

  void received(int amount) {
    if (amount > available) {
      throw new WireException(Wire.FLOW_CONTROL, "more bytes than were granted");
    }
    available -= amount;
  }

  /** Takes note of bytes that no longer take room; returns the credit to grant now, or 0. */
  int consumed(int amount) {
    owed += amount;
    if (owed < step) {
      return 0;
    }
    int granted = (int) owed;
    available += owed;
    owed = 0;
    return granted;
  }
}
