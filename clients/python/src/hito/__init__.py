"""Typed asyncio client of Hito.

    async with await hito.Client.connect("127.0.0.1:7443", ca_file="ca.pem", token=token) as client:
        reply = await client.goals.create_goal(hito.v1.CreateGoalRequest(title="Aprender FastAPI"))
"""

from hito import v1
from hito._consume import Consumer, Delivery
from hito._interceptor import Interceptor
from hito._log import LogRecord, log_to
from hito._method import Method
from hito._options import CallOptions, ClientOptions
from hito._response_info import Metadata, ResponseInfo
from hito._resume import ResumingBatch, ResumingRevalidation, ResumingValidation, ResumingWatch
from hito._retry import Hedging, RetryBudget
from hito._services import CodeValidationClient, EventClient, ProgressClient
from hito._stream import ResponseStream
from hito._token import Token, TokenProvider
from hito.client import VERSION as __version__
from hito.client import Client
from hito.errors import (
    Aborted,
    AlreadyExists,
    CancelledCall,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    HitoError,
    InternalError,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    StatusCode,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    UnknownError,
)

__all__ = [
    "Aborted",
    "AlreadyExists",
    "CallOptions",
    "CancelledCall",
    "Client",
    "ClientOptions",
    "CodeValidationClient",
    "Consumer",
    "DataLoss",
    "DeadlineExceeded",
    "Delivery",
    "EventClient",
    "FailedPrecondition",
    "Hedging",
    "HitoError",
    "InternalError",
    "Interceptor",
    "InvalidArgument",
    "LogRecord",
    "Metadata",
    "Method",
    "NotFound",
    "OutOfRange",
    "PermissionDenied",
    "ProgressClient",
    "ResourceExhausted",
    "ResponseInfo",
    "ResponseStream",
    "ResumingBatch",
    "ResumingRevalidation",
    "ResumingValidation",
    "ResumingWatch",
    "RetryBudget",
    "StatusCode",
    "Token",
    "TokenProvider",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "UnknownError",
    "__version__",
    "log_to",
    "v1",
]
