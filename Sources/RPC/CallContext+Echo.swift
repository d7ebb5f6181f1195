extension CallContext {
  private static let echo = "hito-echo-"
  private static let trailerEcho = "hito-echo-trailer-"

  /// Sends metadata back whose key asks for it: `hito-echo-…` before the first response, `hito-echo-trailer-…` at the
  /// end of the call. So whoever writes a client can try both with any method.
  package func echoMetadata() {
    for (key, value) in metadata where key.hasPrefix(Self.echo) {
      if key.hasPrefix(Self.trailerEcho) { addTrailer(key, value) } else { addMetadata(key, value) }
    }
    for (key, bytes) in binaryMetadata where key.hasPrefix(Self.echo) {
      if key.hasPrefix(Self.trailerEcho) {
        addTrailer(key, bytes: bytes)
      } else {
        addMetadata(key, bytes: bytes)
      }
    }
  }
}
