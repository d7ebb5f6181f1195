package hito;

import com.google.protobuf.MessageLite;
import hito.v1.CodeValidationServiceClient;
import hito.v1.Validation.RevalidateRequest;
import hito.v1.Validation.RevalidateResponse;
import hito.v1.Validation.ValidateBatchRequest;
import hito.v1.Validation.ValidateBatchResponse;
import hito.v1.Validation.ValidateCodeRequest;
import hito.v1.Validation.ValidateCodeResponse;
import hito.v1.Validation.WatchValidationRequest;
import java.util.UUID;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Learners' code; the methods that end in {@code Resuming} are what programs want. */
public final class CodeValidationClient extends CodeValidationServiceClient {
  CodeValidationClient(Channel channel) {
    super(channel);
  }

  /**
   * Validates code once, and follows it to its end: reconnects and continues by itself. Where
   * another server had to begin anew, {@code attempt} goes up, and what was given of the attempt
   * before is void.
   */
  public ResumingStream<ValidateCodeResponse> validateResuming(
      ValidateCodeRequest request, CallOptions options, Consumer<HitoException> onInterruption) {
    return stream(new Validation(channel, request, keyed(options), onInterruption));
  }

  /** The same as a publisher; each subscriber has a validation of its own. */
  public Flow.Publisher<ValidateCodeResponse> validateResumingAsync(
      ValidateCodeRequest request, CallOptions options, Consumer<HitoException> onInterruption) {
    return publisher(() -> new Validation(channel, request, keyed(options), onInterruption));
  }

  /**
   * Validates a batch once, and follows it to its end: reconnects and continues by itself. It ends
   * when each submission was refused or has finished.
   */
  public ResumingStream<ValidateBatchResponse> validateBatchResuming(
      ValidateBatchRequest request, CallOptions options, Consumer<HitoException> onInterruption) {
    return stream(new Batch(channel, request, keyed(options), onInterruption));
  }

  /** The same as a publisher; each subscriber has a batch of its own. */
  public Flow.Publisher<ValidateBatchResponse> validateBatchResumingAsync(
      ValidateBatchRequest request, CallOptions options, Consumer<HitoException> onInterruption) {
    return publisher(() -> new Batch(channel, request, keyed(options), onInterruption));
  }

  /**
   * Validates again once, and follows it to its end: reconnects and continues by itself. It ends
   * after the response with the summary.
   */
  public ResumingStream<RevalidateResponse> revalidateResuming(
      RevalidateRequest request, CallOptions options, Consumer<HitoException> onInterruption) {
    return stream(new Again(channel, request, keyed(options), onInterruption));
  }

  /** The same as a publisher; each subscriber has a revalidation of its own. */
  public Flow.Publisher<RevalidateResponse> revalidateResumingAsync(
      RevalidateRequest request, CallOptions options, Consumer<HitoException> onInterruption) {
    return publisher(() -> new Again(channel, request, keyed(options), onInterruption));
  }

  private <R extends MessageLite> ResumingStream<R> stream(ResumingSource<R> source) {
    return new ResumingStream<>(channel.loop(), source);
  }

  private <R extends MessageLite> Flow.Publisher<R> publisher(Supplier<Source<R>> open) {
    return channel.publisher(open);
  }

  /** The same key for each attempt to begin: a lost reply begins no second validation. */
  private static CallOptions keyed(CallOptions options) {
    return options.idempotencyKey() != null
        ? options
        : options.withIdempotencyKey(UUID.randomUUID().toString());
  }

  private static final class Validation extends ResumingSource<ValidateCodeResponse> {
    private final ValidateCodeRequest request;
    private final CallOptions options;
    private volatile WatchValidationRequest watch = WatchValidationRequest.getDefaultInstance();

    Validation(
        Channel channel,
        ValidateCodeRequest request,
        CallOptions options,
        Consumer<HitoException> onInterruption) {
      super(channel, onInterruption);
      this.request = request;
      this.options = options;
    }

    @Override
    DecodedSource<ValidateCodeResponse> open() {
      return watch.getRunId().isEmpty()
          ? channel.attempt(VALIDATE_CODE, request, options)
          : channel.attempt(WATCH_VALIDATION, watch, options);
    }

    @Override
    void received(ValidateCodeResponse response) {
      WatchValidationRequest.Builder next = watch.toBuilder();
      if (!response.getRunId().isEmpty()) {
        next.setRunId(response.getRunId());
      }
      if (!response.getCursor().isEmpty()) {
        next.setCursor(response.getCursor());
      }
      watch = next.build();
      if (response.getStepCase() == ValidateCodeResponse.StepCase.RESULT) {
        complete();
      }
    }
  }

  private static final class Batch extends ResumingSource<ValidateBatchResponse> {
    private final CallOptions options;
    private volatile ValidateBatchRequest request;
    private int left;

    Batch(
        Channel channel,
        ValidateBatchRequest request,
        CallOptions options,
        Consumer<HitoException> onInterruption) {
      super(channel, onInterruption);
      this.request = request;
      this.options = options;
      left = request.getSubmissionsCount();
    }

    @Override
    DecodedSource<ValidateBatchResponse> open() {
      return channel.attempt(VALIDATE_BATCH, request, options);
    }

    @Override
    void received(ValidateBatchResponse response) {
      if (!response.getCursor().isEmpty()) {
        request = request.toBuilder().setCursor(response.getCursor()).build();
      }
      switch (response.getStepCase()) {
        case FINISHED, REFUSED -> left--;
        default -> {
          // On the way.
        }
      }
      if (left <= 0) {
        complete();
      }
    }
  }

  private static final class Again extends ResumingSource<RevalidateResponse> {
    private final CallOptions options;
    private volatile RevalidateRequest request;

    Again(
        Channel channel,
        RevalidateRequest request,
        CallOptions options,
        Consumer<HitoException> onInterruption) {
      super(channel, onInterruption);
      this.request = request;
      this.options = options;
    }

    @Override
    DecodedSource<RevalidateResponse> open() {
      return channel.attempt(REVALIDATE, request, options);
    }

    @Override
    void received(RevalidateResponse response) {
      if (!response.getCursor().isEmpty()) {
        request = request.toBuilder().setCursor(response.getCursor()).build();
      }
      if (response.getStepCase() == RevalidateResponse.StepCase.SUMMARY) {
        complete();
      }
    }
  }
}
