package hito;

/** One frame (W2.1). */
record Frame(int kind, int flags, int stream, byte[] payload) {
  boolean has(int flag) {
    return (flags & flag) != 0;
  }
}
