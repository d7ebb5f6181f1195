package hito;

/** The peer broke the protocol: the connection ends with GOAWAY and this reason. */
final class WireException extends RuntimeException {
  private static final long serialVersionUID = 1;

  final int reason;

  WireException(int reason, String text) {
    super(text, null, false, false);
    this.reason = reason;
  }

  static WireException protocol(String text) {
    return new WireException(Wire.PROTOCOL_ERROR, text);
  }
}
