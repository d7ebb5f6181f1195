"""The errors of calls: one class per status code, with the server's typed details."""

from __future__ import annotations

import enum
from typing import Optional

from google.protobuf.message import DecodeError

from hito.v1 import errors_pb2


class StatusCode(enum.IntEnum):
    """The status codes of `hito/1`; the numbers are gRPC's."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16

    @classmethod
    def of(cls, number: int) -> "StatusCode":
        """The code of a number; one that is not known is UNKNOWN."""
        try:
            return cls(number)
        except ValueError:
            return cls.UNKNOWN


class HitoError(Exception):
    """A call that failed. Catch a subclass for one status code, this one for all."""

    code: StatusCode = StatusCode.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        details: bytes = b"",
        resume_cursor: str = "",
        from_server: bool = False,
        not_started: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        """What went wrong, for developers."""
        self.details = _details(details)
        """Field violations, reason, resource, quota, retry delay; empty where nothing is said."""
        self.resume_cursor = resume_cursor
        """Where a subscription that was ended continues, or a read of a lost place; empty where
        nothing is said."""
        self.from_server = from_server
        """Whether the server said it; False where this library found it."""
        self.not_started = not_started
        """Whether it is certain that the server did not begin the call."""

    @property
    def retry_delay(self) -> Optional[float]:
        """How long the server wants us to wait before another try, in seconds."""
        micros = self.details.retry_delay_us
        return micros / 1e6 if micros > 0 else None

    @property
    def reason(self) -> "errors_pb2.ErrorReason":
        """The stable name of the reason, one of `hito.v1.ErrorReason`."""
        return self.details.reason

    @property
    def write_outcome(self) -> "errors_pb2.WriteOutcome":
        """Of a write that failed: whether the server says that it may have been committed all the same.
        Nothing was done either where `not_started` is true."""
        return self.details.write_outcome

    def __str__(self) -> str:
        violations = "; ".join(
            f"{violation.field}: {violation.description}"
            for violation in self.details.field_violations
        )
        parts = [part for part in (self.message, violations) if part]
        return f"{self.code.name}: {' - '.join(parts)}" if parts else self.code.name


class CancelledCall(HitoError):
    """The call was cancelled by the server or by closing the client."""

    code = StatusCode.CANCELLED


class UnknownError(HitoError):
    """The server failed in a way that it does not explain."""

    code = StatusCode.UNKNOWN


class InvalidArgument(HitoError):
    """The request breaks a rule: see `details.field_violations`."""

    code = StatusCode.INVALID_ARGUMENT


class DeadlineExceeded(HitoError):
    """The call did not end in time; a write may have happened."""

    code = StatusCode.DEADLINE_EXCEEDED


class NotFound(HitoError):
    """There is no such thing, or it is not the caller's to see."""

    code = StatusCode.NOT_FOUND


class AlreadyExists(HitoError):
    """Something unique is taken, or an idempotency key was used for another request."""

    code = StatusCode.ALREADY_EXISTS


class PermissionDenied(HitoError):
    """The caller's role does not allow it."""

    code = StatusCode.PERMISSION_DENIED


class ResourceExhausted(HitoError):
    """A limit is reached: see `details.quota` and `retry_delay`."""

    code = StatusCode.RESOURCE_EXHAUSTED


class FailedPrecondition(HitoError):
    """The state does not allow it; the text says what to do first."""

    code = StatusCode.FAILED_PRECONDITION


class Aborted(HitoError):
    """It has changed since it was read (stale version): read again and decide again."""

    code = StatusCode.ABORTED


class OutOfRange(HitoError):
    """A cursor that does not exist, or of events that the log has lost since.

    The latter has the reason `ERROR_REASON_LOG_FORKED`: what came after `resume_cursor` never
    happened, and reading continues there.
    """

    code = StatusCode.OUT_OF_RANGE


class Unimplemented(HitoError):
    """This server does not have the method."""

    code = StatusCode.UNIMPLEMENTED


class InternalError(HitoError):
    """The server, or what it sent, is broken."""

    code = StatusCode.INTERNAL


class Unavailable(HitoError):
    """The server cannot be reached or cannot serve now; this library has tried again already.

    Unless `is_lasting`: then nobody has tried again, and it would not help.
    """

    code = StatusCode.UNAVAILABLE

    @property
    def is_lasting(self) -> bool:
        """Whether it stays so until the server is configured differently."""
        return self.reason == errors_pb2.ErrorReason.ERROR_REASON_NO_MODEL


class DataLoss(HitoError):
    """Stored data is damaged."""

    code = StatusCode.DATA_LOSS


class Unauthenticated(HitoError):
    """The token is missing, unknown, expired or revoked."""

    code = StatusCode.UNAUTHENTICATED


_CLASSES = {
    cls.code: cls
    for cls in (
        CancelledCall, UnknownError, InvalidArgument, DeadlineExceeded, NotFound, AlreadyExists,
        PermissionDenied, ResourceExhausted, FailedPrecondition, Aborted, OutOfRange,
        Unimplemented, InternalError, Unavailable, DataLoss, Unauthenticated,
    )
}  # fmt: skip


def error_of(
    status: int,
    message: str,
    details: bytes = b"",
    resume_cursor: str = "",
    not_started: bool = False,
) -> HitoError:
    """The error that a server's END says."""
    return _CLASSES.get(StatusCode.of(status), UnknownError)(
        message,
        details=details,
        resume_cursor=resume_cursor,
        from_server=True,
        not_started=not_started,
    )


def _details(encoded: bytes) -> errors_pb2.ErrorDetails:
    try:
        return errors_pb2.ErrorDetails.FromString(encoded)
    except DecodeError:
        # The status is the answer; details that cannot be read must not hide it.
        return errors_pb2.ErrorDetails()
