package hito;

import com.google.protobuf.InvalidProtocolBufferException;
import hito.v1.Errors.ErrorDetails;
import hito.v1.Errors.ErrorReason;
import hito.v1.Errors.FieldViolation;
import hito.v1.Errors.WriteOutcome;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Collectors;

/** A call that failed. Catch a subclass for one status code, this one for all. */
public abstract sealed class HitoException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What an error says beside its status and text. */
  record Said(
      ErrorDetails details,
      String resumeCursor,
      boolean fromServer,
      boolean notStarted,
      boolean untrusted) {
    static final Said NOTHING =
        new Said(ErrorDetails.getDefaultInstance(), "", false, false, false);
    static final Said NOT_STARTED =
        new Said(ErrorDetails.getDefaultInstance(), "", false, true, false);
    static final Said UNTRUSTED =
        new Said(ErrorDetails.getDefaultInstance(), "", false, true, true);

    static Said byServer(byte[] details, String resumeCursor, boolean notStarted) {
      return new Said(decoded(details), resumeCursor, true, notStarted, false);
    }

    private static ErrorDetails decoded(byte[] details) {
      try {
        return ErrorDetails.parseFrom(details);
      } catch (InvalidProtocolBufferException error) {
        // The status is the answer; details that cannot be read must not hide it.
        return ErrorDetails.getDefaultInstance();
      }
    }
  }

  private final transient Said said;
  private final StatusCode code;
  private final String text;

  private HitoException(StatusCode code, String text, Said said) {
    super(describe(code, text, said));
    this.code = code;
    this.text = text;
    this.said = said;
  }

  private static String describe(StatusCode code, String text, Said said) {
    String violations =
        said.details().getFieldViolationsList().stream()
            .map(HitoException::described)
            .collect(Collectors.joining("; "));
    String separator = text.isEmpty() || violations.isEmpty() ? "" : " - ";
    String all = text + separator + violations;
    return all.isEmpty() ? code.name() : code.name() + ": " + all;
  }

  private static String described(FieldViolation violation) {
    return violation.getField() + ": " + violation.getDescription();
  }

  /** Its status code. */
  public StatusCode code() {
    return code;
  }

  /** What went wrong, for developers. */
  public String text() {
    return text;
  }

  /** Field violations, reason, resource, quota, retry delay; empty where nothing is said. */
  public ErrorDetails details() {
    return said().details();
  }

  /** The stable name of the reason. */
  public ErrorReason reason() {
    return details().getReason();
  }

  /**
   * Where a subscription that was ended continues, or a read of a lost place; empty where nothing
   * is said.
   */
  public String resumeCursor() {
    return said().resumeCursor();
  }

  /** Whether the server said it; false where this library found it. */
  public boolean fromServer() {
    return said().fromServer();
  }

  /** Whether it is certain that the server did not begin the call. */
  public boolean notStarted() {
    return said().notStarted();
  }

  /** How long the server wants us to wait before another try. */
  public Optional<Duration> retryDelay() {
    long micros = details().getRetryDelayUs();
    return micros > 0 ? Optional.of(Duration.ofNanos(micros * 1000)) : Optional.empty();
  }

  /**
   * Of a write that failed: whether the server says that it may have been committed all the same.
   * Nothing was done either where {@link #notStarted} is true.
   */
  public WriteOutcome writeOutcome() {
    return details().getWriteOutcome();
  }

  // Serialized errors lose what the server said: messages of a contract are no Java serialization.
  private Said said() {
    return said == null ? Said.NOTHING : said;
  }

  /** How long the server wants us to wait, in nanoseconds; 0 where it does not say. */
  long pushbackNanos() {
    long micros = Math.max(0, details().getRetryDelayUs());
    return Math.min(micros, Retry.PUSHBACK_MAX_NANOS / 1000) * 1000;
  }

  /** The same error with the stack of whoever calls this; its cause is this one's, or this. */
  HitoException atCaller() {
    return causedBy(getCause() == null ? this : getCause());
  }

  /** The same error with another cause, or none. */
  HitoException causedBy(Throwable cause) {
    HitoException copy = of(code, text, said());
    copy.initCause(cause);
    return copy;
  }

  /** The error of a status. */
  static HitoException of(StatusCode code, String text, Said said) {
    return switch (code) {
      case CANCELLED -> new Cancelled(text, said);
      case INVALID_ARGUMENT -> new InvalidArgument(text, said);
      case DEADLINE_EXCEEDED -> new DeadlineExceeded(text, said);
      case NOT_FOUND -> new NotFound(text, said);
      case ALREADY_EXISTS -> new AlreadyExists(text, said);
      case PERMISSION_DENIED -> new PermissionDenied(text, said);
      case RESOURCE_EXHAUSTED -> new ResourceExhausted(text, said);
      case FAILED_PRECONDITION -> new FailedPrecondition(text, said);
      case ABORTED -> new Aborted(text, said);
      case OUT_OF_RANGE -> new OutOfRange(text, said);
      case UNIMPLEMENTED -> new Unimplemented(text, said);
      case INTERNAL -> new Internal(text, said);
      case UNAVAILABLE -> new Unavailable(text, said);
      case DATA_LOSS -> new DataLoss(text, said);
      case UNAUTHENTICATED -> new Unauthenticated(text, said);
      case OK, UNKNOWN -> new Unknown(text, said);
    };
  }

  /** The same of a call of which an earlier attempt was perhaps started. */
  HitoException perhapsStarted() {
    Said mine = said();
    HitoException told =
        of(
            code,
            text,
            new Said(mine.details(), mine.resumeCursor(), mine.fromServer(), false, mine.untrusted()));
    told.initCause(getCause() == null ? this : getCause());
    return told;
  }

  static HitoException cancelled(String text) {
    return new Cancelled(text, Said.NOTHING);
  }

  static HitoException internal(String text) {
    return new Internal(text, Said.NOTHING);
  }

  static HitoException unavailable(String text) {
    return new Unavailable(text, Said.NOTHING);
  }

  static HitoException unreachable(String text) {
    return new Unavailable(text, Said.NOT_STARTED);
  }

  static HitoException exhausted(String text) {
    return new ResourceExhausted(text, Said.NOTHING);
  }

  /** Whether the server showed a certificate that is not trusted: it will not be trusted later. */
  boolean isUntrusted() {
    return said().untrusted();
  }

  /** The call was cancelled by the caller, by the server or by closing the client. */
  public static final class Cancelled extends HitoException {
    private static final long serialVersionUID = 1;

    Cancelled(String text, Said said) {
      super(StatusCode.CANCELLED, text, said);
    }
  }

  /** The server failed in a way that it does not explain. */
  public static final class Unknown extends HitoException {
    private static final long serialVersionUID = 1;

    Unknown(String text, Said said) {
      super(StatusCode.UNKNOWN, text, said);
    }
  }

  /** The request breaks a rule: see the details' field violations. */
  public static final class InvalidArgument extends HitoException {
    private static final long serialVersionUID = 1;

    InvalidArgument(String text, Said said) {
      super(StatusCode.INVALID_ARGUMENT, text, said);
    }
  }

  /** The call did not end in time; a write may have happened. */
  public static final class DeadlineExceeded extends HitoException {
    private static final long serialVersionUID = 1;

    DeadlineExceeded(String text, Said said) {
      super(StatusCode.DEADLINE_EXCEEDED, text, said);
    }
  }

  /** There is no such thing, or it is not the caller's to see. */
  public static final class NotFound extends HitoException {
    private static final long serialVersionUID = 1;

    NotFound(String text, Said said) {
      super(StatusCode.NOT_FOUND, text, said);
    }
  }

  /** Something unique is taken, or an idempotency key was used for another request. */
  public static final class AlreadyExists extends HitoException {
    private static final long serialVersionUID = 1;

    AlreadyExists(String text, Said said) {
      super(StatusCode.ALREADY_EXISTS, text, said);
    }
  }

  /** The caller's role does not allow it. */
  public static final class PermissionDenied extends HitoException {
    private static final long serialVersionUID = 1;

    PermissionDenied(String text, Said said) {
      super(StatusCode.PERMISSION_DENIED, text, said);
    }
  }

  /** A limit is reached: see the details' quota and {@link #retryDelay}. */
  public static final class ResourceExhausted extends HitoException {
    private static final long serialVersionUID = 1;

    ResourceExhausted(String text, Said said) {
      super(StatusCode.RESOURCE_EXHAUSTED, text, said);
    }
  }

  /** The state does not allow it; the text says what to do first. */
  public static final class FailedPrecondition extends HitoException {
    private static final long serialVersionUID = 1;

    FailedPrecondition(String text, Said said) {
      super(StatusCode.FAILED_PRECONDITION, text, said);
    }
  }

  /** It has changed since it was read (stale version): read again and decide again. */
  public static final class Aborted extends HitoException {
    private static final long serialVersionUID = 1;

    Aborted(String text, Said said) {
      super(StatusCode.ABORTED, text, said);
    }
  }

  /**
   * A cursor that does not exist, or of events that the log has lost since. The latter has the
   * reason {@code ERROR_REASON_LOG_FORKED}: what came after {@link #resumeCursor} never happened,
   * and reading continues there.
   */
  public static final class OutOfRange extends HitoException {
    private static final long serialVersionUID = 1;

    OutOfRange(String text, Said said) {
      super(StatusCode.OUT_OF_RANGE, text, said);
    }
  }

  /** This server does not have the method. */
  public static final class Unimplemented extends HitoException {
    private static final long serialVersionUID = 1;

    Unimplemented(String text, Said said) {
      super(StatusCode.UNIMPLEMENTED, text, said);
    }
  }

  /** The server, or what it sent, is broken. */
  public static final class Internal extends HitoException {
    private static final long serialVersionUID = 1;

    Internal(String text, Said said) {
      super(StatusCode.INTERNAL, text, said);
    }
  }

  /**
   * The server cannot be reached or cannot serve now; this library has tried again already. Unless
   * {@link #isLasting}: then nobody has tried again, and it would not help.
   */
  public static final class Unavailable extends HitoException {
    private static final long serialVersionUID = 1;

    Unavailable(String text, Said said) {
      super(StatusCode.UNAVAILABLE, text, said);
    }

    /** Whether it stays so until the server is configured differently. */
    public boolean isLasting() {
      return reason() == ErrorReason.ERROR_REASON_NO_MODEL;
    }
  }

  /** Stored data is damaged. */
  public static final class DataLoss extends HitoException {
    private static final long serialVersionUID = 1;

    DataLoss(String text, Said said) {
      super(StatusCode.DATA_LOSS, text, said);
    }
  }

  /** The token is missing, unknown, expired or revoked. */
  public static final class Unauthenticated extends HitoException {
    private static final long serialVersionUID = 1;

    Unauthenticated(String text, Said said) {
      super(StatusCode.UNAUTHENTICATED, text, said);
    }
  }
}
