package hito;

/** Where a server listens. */
record Address(String host, int port) {
  /** {@code host:port} or {@code [2001:db8::1]:port}. */
  static Address parse(String text) {
    String trimmed = text.strip();
    int colon = trimmed.lastIndexOf(':');
    String host = colon < 0 ? "" : trimmed.substring(0, colon);
    String port = trimmed.substring(colon + 1);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      host = "";
    }
    boolean isNumber = !port.isEmpty() && port.length() <= 5 && port.chars().allMatch(c -> c >= '0' && c <= '9');
    if (host.isEmpty() || !isNumber || Integer.parseInt(port) < 1 || Integer.parseInt(port) > 65535) {
      throw new IllegalArgumentException(
          "'" + text + "' is not an address: say host:port, or [IPv6]:port");
    }
    return new Address(host, Integer.parseInt(port));
  }

  @Override
  public String toString() {
    return host + ":" + port;
  }
}
