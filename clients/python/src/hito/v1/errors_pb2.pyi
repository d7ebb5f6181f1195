from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
ERROR_REASON_BAD_CURSOR: ErrorReason
ERROR_REASON_BAD_PAGE_TOKEN: ErrorReason
ERROR_REASON_CONSUMER_NAME_TAKEN: ErrorReason
ERROR_REASON_CONSUMER_REPLACED: ErrorReason
ERROR_REASON_CONTENTION: ErrorReason
ERROR_REASON_DRAINING: ErrorReason
ERROR_REASON_EVENTS_ARCHIVED: ErrorReason
ERROR_REASON_EXTERNAL_ID_CONFLICT: ErrorReason
ERROR_REASON_ILLEGAL_TRANSITION: ErrorReason
ERROR_REASON_INVALID_FIELD: ErrorReason
ERROR_REASON_KEY_CONFLICT: ErrorReason
ERROR_REASON_LAGGING: ErrorReason
ERROR_REASON_LIMIT_REACHED: ErrorReason
ERROR_REASON_LOG_FORKED: ErrorReason
ERROR_REASON_MALFORMED_MESSAGE: ErrorReason
ERROR_REASON_NO_MODEL: ErrorReason
ERROR_REASON_OVERLOADED: ErrorReason
ERROR_REASON_QUOTA: ErrorReason
ERROR_REASON_STALE_VERSION: ErrorReason
ERROR_REASON_STORE_UNAVAILABLE: ErrorReason
ERROR_REASON_STREAM_STALLED: ErrorReason
ERROR_REASON_UNSPECIFIED: ErrorReason
WRITE_OUTCOME_NOT_WRITTEN: WriteOutcome
WRITE_OUTCOME_UNKNOWN: WriteOutcome
WRITE_OUTCOME_UNSPECIFIED: WriteOutcome

class ErrorDetails(_message.Message):
    __slots__ = ["field_violations", "lagging_part", "quota", "reason", "resource", "retry_delay_us", "write_outcome"]
    FIELD_VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    LAGGING_PART_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_US_FIELD_NUMBER: _ClassVar[int]
    WRITE_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    field_violations: _containers.RepeatedCompositeFieldContainer[FieldViolation]
    lagging_part: str
    quota: QuotaInfo
    reason: ErrorReason
    resource: ResourceInfo
    retry_delay_us: int
    write_outcome: WriteOutcome
    def __init__(self, reason: _Optional[_Union[ErrorReason, str]] = ..., field_violations: _Optional[_Iterable[_Union[FieldViolation, _Mapping]]] = ..., retry_delay_us: _Optional[int] = ..., resource: _Optional[_Union[ResourceInfo, _Mapping]] = ..., quota: _Optional[_Union[QuotaInfo, _Mapping]] = ..., lagging_part: _Optional[str] = ..., write_outcome: _Optional[_Union[WriteOutcome, str]] = ...) -> None: ...

class FieldViolation(_message.Message):
    __slots__ = ["description", "field"]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    description: str
    field: str
    def __init__(self, field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class QuotaInfo(_message.Message):
    __slots__ = ["maximum", "resets_at", "subject", "used"]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    RESETS_AT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    maximum: int
    resets_at: _timestamp_pb2.Timestamp
    subject: str
    used: int
    def __init__(self, subject: _Optional[str] = ..., maximum: _Optional[int] = ..., used: _Optional[int] = ..., resets_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ResourceInfo(_message.Message):
    __slots__ = ["current_version", "id", "type"]
    CURRENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    current_version: int
    id: str
    type: str
    def __init__(self, type: _Optional[str] = ..., id: _Optional[str] = ..., current_version: _Optional[int] = ...) -> None: ...

class WriteOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
