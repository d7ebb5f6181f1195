package hito;

/** What we may still send (W9). */
final class SendWindow {
  private long available;

  SendWindow(long granted) {
    available = granted;
  }

  long available() {
    return available;
  }

  void grant(long amount) {
    if (available + amount > Wire.CREDIT_MAX) {
      throw new WireException(Wire.FLOW_CONTROL, "credit above its maximum");
    }
    available += amount;
  }

  void take(int amount) {
    available -= amount;
  }
}
