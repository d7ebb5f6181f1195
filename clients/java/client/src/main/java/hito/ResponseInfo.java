package hito;

/**
 * Given to a call ({@link CallOptions#withResponseInfo}), it has afterwards what the server said
 * beside the answer, also of a call that failed.
 */
public final class ResponseInfo {
  private volatile Metadata metadata = Metadata.EMPTY;
  private volatile Metadata trailers = Metadata.EMPTY;

  /** Of a call to come. */
  public ResponseInfo() {}

  /** What came before the first answer. */
  public Metadata metadata() {
    return metadata;
  }

  /** What came with the end of the call. */
  public Metadata trailers() {
    return trailers;
  }

  void tell(Call call) {
    metadata = call.metadata();
    trailers = call.trailers();
  }
}
