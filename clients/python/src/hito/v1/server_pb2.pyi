from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hito.v1 import common_pb2 as _common_pb2
from hito.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

AUDIT_KIND_EXPORT: AuditKind
AUDIT_KIND_NOTICE: AuditKind
AUDIT_KIND_READ: AuditKind
AUDIT_KIND_REFUSAL: AuditKind
AUDIT_KIND_SIGN_IN: AuditKind
AUDIT_KIND_UNSPECIFIED: AuditKind
CALL_PHASE_AWAITING_CALLER: CallPhase
CALL_PHASE_AWAITING_CREDIT: CallPhase
CALL_PHASE_AWAITING_REQUEST: CallPhase
CALL_PHASE_AWAITING_TURN: CallPhase
CALL_PHASE_RUNNING: CallPhase
CALL_PHASE_UNSPECIFIED: CallPhase
DESCRIPTOR: _descriptor.FileDescriptor
HEALTH_STATUS_DRAINING: HealthStatus
HEALTH_STATUS_NOT_SERVING: HealthStatus
HEALTH_STATUS_SERVING: HealthStatus
HEALTH_STATUS_UNSPECIFIED: HealthStatus
PIPELINE_CONDITION_AWAY: PipelineCondition
PIPELINE_CONDITION_BLOCKED: PipelineCondition
PIPELINE_CONDITION_CONNECTED: PipelineCondition
PIPELINE_CONDITION_UNSPECIFIED: PipelineCondition

class AuditEntry(_message.Message):
    __slots__ = ["actor_id", "count", "created_at", "entity_id", "entity_type", "id", "kind", "last_at", "method", "number", "peer", "reason", "status", "subject_id", "token_id"]
    ACTOR_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    actor_id: str
    count: int
    created_at: _timestamp_pb2.Timestamp
    entity_id: str
    entity_type: str
    id: str
    kind: AuditKind
    last_at: _timestamp_pb2.Timestamp
    method: str
    number: int
    peer: str
    reason: str
    status: int
    subject_id: str
    token_id: str
    def __init__(self, id: _Optional[str] = ..., actor_id: _Optional[str] = ..., method: _Optional[str] = ..., entity_type: _Optional[str] = ..., entity_id: _Optional[str] = ..., status: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., peer: _Optional[str] = ..., kind: _Optional[_Union[AuditKind, str]] = ..., subject_id: _Optional[str] = ..., reason: _Optional[str] = ..., count: _Optional[int] = ..., last_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., number: _Optional[int] = ..., token_id: _Optional[str] = ...) -> None: ...

class CallClassInfo(_message.Message):
    __slots__ = ["cost", "mean_us", "overdue", "refused_for_deadline", "refused_for_overload", "running", "running_max", "shedding", "slowdown", "waiting", "waiting_users"]
    COST_FIELD_NUMBER: _ClassVar[int]
    MEAN_US_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FOR_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FOR_OVERLOAD_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    RUNNING_MAX_FIELD_NUMBER: _ClassVar[int]
    SHEDDING_FIELD_NUMBER: _ClassVar[int]
    SLOWDOWN_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    WAITING_USERS_FIELD_NUMBER: _ClassVar[int]
    cost: str
    mean_us: int
    overdue: int
    refused_for_deadline: int
    refused_for_overload: int
    running: int
    running_max: int
    shedding: bool
    slowdown: float
    waiting: int
    waiting_users: int
    def __init__(self, cost: _Optional[str] = ..., running: _Optional[int] = ..., running_max: _Optional[int] = ..., waiting: _Optional[int] = ..., waiting_users: _Optional[int] = ..., shedding: bool = ..., slowdown: _Optional[float] = ..., mean_us: _Optional[int] = ..., refused_for_deadline: _Optional[int] = ..., refused_for_overload: _Optional[int] = ..., overdue: _Optional[int] = ...) -> None: ...

class CallInfo(_message.Message):
    __slots__ = ["age_us", "connection_id", "deadline_left_us", "kind", "method", "phase", "stream_id", "trace_id", "user_id"]
    AGE_US_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_ID_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_LEFT_US_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    age_us: int
    connection_id: int
    deadline_left_us: int
    kind: str
    method: str
    phase: CallPhase
    stream_id: int
    trace_id: str
    user_id: str
    def __init__(self, connection_id: _Optional[int] = ..., stream_id: _Optional[int] = ..., method: _Optional[str] = ..., user_id: _Optional[str] = ..., age_us: _Optional[int] = ..., kind: _Optional[str] = ..., deadline_left_us: _Optional[int] = ..., phase: _Optional[_Union[CallPhase, str]] = ..., trace_id: _Optional[str] = ...) -> None: ...

class ConnectionInfo(_message.Message):
    __slots__ = ["agent", "bytes_in", "bytes_out", "credit_left", "credit_owed", "draining", "encodings", "id", "kept_bytes", "minor_version", "opened_at", "peer", "streams", "user_id", "waiting_calls"]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    BYTES_IN_FIELD_NUMBER: _ClassVar[int]
    BYTES_OUT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_LEFT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_OWED_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    ENCODINGS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    KEPT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MINOR_VERSION_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WAITING_CALLS_FIELD_NUMBER: _ClassVar[int]
    agent: str
    bytes_in: int
    bytes_out: int
    credit_left: int
    credit_owed: int
    draining: bool
    encodings: _containers.RepeatedScalarFieldContainer[str]
    id: int
    kept_bytes: int
    minor_version: int
    opened_at: _timestamp_pb2.Timestamp
    peer: str
    streams: int
    user_id: str
    waiting_calls: int
    def __init__(self, id: _Optional[int] = ..., peer: _Optional[str] = ..., agent: _Optional[str] = ..., user_id: _Optional[str] = ..., streams: _Optional[int] = ..., opened_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., bytes_in: _Optional[int] = ..., bytes_out: _Optional[int] = ..., minor_version: _Optional[int] = ..., encodings: _Optional[_Iterable[str]] = ..., credit_left: _Optional[int] = ..., credit_owed: _Optional[int] = ..., kept_bytes: _Optional[int] = ..., waiting_calls: _Optional[int] = ..., draining: bool = ...) -> None: ...

class EraseUserDataRequest(_message.Message):
    __slots__ = ["confirm_user_id", "user_id"]
    CONFIRM_USER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    confirm_user_id: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., confirm_user_id: _Optional[str] = ...) -> None: ...

class EraseUserDataResponse(_message.Message):
    __slots__ = ["erasure_id"]
    ERASURE_ID_FIELD_NUMBER: _ClassVar[int]
    erasure_id: str
    def __init__(self, erasure_id: _Optional[str] = ...) -> None: ...

class EventLoopInfo(_message.Message):
    __slots__ = ["lag_peak_us", "lag_us"]
    LAG_PEAK_US_FIELD_NUMBER: _ClassVar[int]
    LAG_US_FIELD_NUMBER: _ClassVar[int]
    lag_peak_us: int
    lag_us: int
    def __init__(self, lag_us: _Optional[int] = ..., lag_peak_us: _Optional[int] = ...) -> None: ...

class ExportUserDataRequest(_message.Message):
    __slots__ = ["user_id"]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ExportUserDataResponse(_message.Message):
    __slots__ = ["json_lines", "part"]
    JSON_LINES_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    json_lines: bytes
    part: str
    def __init__(self, part: _Optional[str] = ..., json_lines: _Optional[bytes] = ...) -> None: ...

class FlushLakeRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class FlushLakeResponse(_message.Message):
    __slots__ = ["cursor", "rows"]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    rows: int
    def __init__(self, cursor: _Optional[str] = ..., rows: _Optional[int] = ...) -> None: ...

class GetDescriptorSetRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetDescriptorSetResponse(_message.Message):
    __slots__ = ["descriptor_set", "hash"]
    DESCRIPTOR_SET_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    descriptor_set: bytes
    hash: bytes
    def __init__(self, descriptor_set: _Optional[bytes] = ..., hash: _Optional[bytes] = ...) -> None: ...

class GetErasureRequest(_message.Message):
    __slots__ = ["erasure_id"]
    ERASURE_ID_FIELD_NUMBER: _ClassVar[int]
    erasure_id: str
    def __init__(self, erasure_id: _Optional[str] = ...) -> None: ...

class GetErasureResponse(_message.Message):
    __slots__ = ["completed_at", "parts_done", "parts_pending"]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    PARTS_DONE_FIELD_NUMBER: _ClassVar[int]
    PARTS_PENDING_FIELD_NUMBER: _ClassVar[int]
    completed_at: _timestamp_pb2.Timestamp
    parts_done: _containers.RepeatedScalarFieldContainer[str]
    parts_pending: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, parts_done: _Optional[_Iterable[str]] = ..., parts_pending: _Optional[_Iterable[str]] = ..., completed_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetPipelinesRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetPipelinesResponse(_message.Message):
    __slots__ = ["pipelines"]
    PIPELINES_FIELD_NUMBER: _ClassVar[int]
    pipelines: _containers.RepeatedCompositeFieldContainer[PipelineInfo]
    def __init__(self, pipelines: _Optional[_Iterable[_Union[PipelineInfo, _Mapping]]] = ...) -> None: ...

class GetQuotaRequest(_message.Message):
    __slots__ = ["user_id"]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class GetQuotaResponse(_message.Message):
    __slots__ = ["effective", "quota", "usage"]
    EFFECTIVE_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    effective: Quota
    quota: Quota
    usage: QuotaUsage
    def __init__(self, quota: _Optional[_Union[Quota, _Mapping]] = ..., effective: _Optional[_Union[Quota, _Mapping]] = ..., usage: _Optional[_Union[QuotaUsage, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ["now", "protocol", "server_id", "started_at", "version"]
    NOW_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    now: _timestamp_pb2.Timestamp
    protocol: str
    server_id: str
    started_at: _timestamp_pb2.Timestamp
    version: str
    def __init__(self, server_id: _Optional[str] = ..., version: _Optional[str] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., protocol: _Optional[str] = ..., now: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetStatisticsRequest(_message.Message):
    __slots__ = ["without_buckets"]
    WITHOUT_BUCKETS_FIELD_NUMBER: _ClassVar[int]
    without_buckets: bool
    def __init__(self, without_buckets: bool = ...) -> None: ...

class GetStatisticsResponse(_message.Message):
    __slots__ = ["classes", "methods", "server", "slow_calls"]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    SLOW_CALLS_FIELD_NUMBER: _ClassVar[int]
    classes: _containers.RepeatedCompositeFieldContainer[CallClassInfo]
    methods: _containers.RepeatedCompositeFieldContainer[MethodStatistics]
    server: ServerStatistics
    slow_calls: _containers.RepeatedCompositeFieldContainer[SlowCall]
    def __init__(self, server: _Optional[_Union[ServerStatistics, _Mapping]] = ..., methods: _Optional[_Iterable[_Union[MethodStatistics, _Mapping]]] = ..., slow_calls: _Optional[_Iterable[_Union[SlowCall, _Mapping]]] = ..., classes: _Optional[_Iterable[_Union[CallClassInfo, _Mapping]]] = ...) -> None: ...

class HealthCheckRequest(_message.Message):
    __slots__ = ["part"]
    PART_FIELD_NUMBER: _ClassVar[int]
    part: str
    def __init__(self, part: _Optional[str] = ...) -> None: ...

class HealthCheckResponse(_message.Message):
    __slots__ = ["message", "status"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    message: str
    status: HealthStatus
    def __init__(self, status: _Optional[_Union[HealthStatus, str]] = ..., message: _Optional[str] = ...) -> None: ...

class HealthWatchRequest(_message.Message):
    __slots__ = ["part"]
    PART_FIELD_NUMBER: _ClassVar[int]
    part: str
    def __init__(self, part: _Optional[str] = ...) -> None: ...

class LatencyBucket(_message.Message):
    __slots__ = ["count", "upper_us"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    UPPER_US_FIELD_NUMBER: _ClassVar[int]
    count: int
    upper_us: int
    def __init__(self, upper_us: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class ListAuditEntriesRequest(_message.Message):
    __slots__ = ["actor_id", "kinds", "page", "range", "subject_id"]
    ACTOR_ID_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    actor_id: str
    kinds: _containers.RepeatedScalarFieldContainer[AuditKind]
    page: _common_pb2.PageRequest
    range: _common_pb2.TimeRange
    subject_id: str
    def __init__(self, page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., actor_id: _Optional[str] = ..., range: _Optional[_Union[_common_pb2.TimeRange, _Mapping]] = ..., subject_id: _Optional[str] = ..., kinds: _Optional[_Iterable[_Union[AuditKind, str]]] = ...) -> None: ...

class ListAuditEntriesResponse(_message.Message):
    __slots__ = ["entries", "page"]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    page: _common_pb2.PageInfo
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

class ListCallsRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ListCallsResponse(_message.Message):
    __slots__ = ["calls", "total"]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[CallInfo]
    total: int
    def __init__(self, calls: _Optional[_Iterable[_Union[CallInfo, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class ListConnectionsRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ListConnectionsResponse(_message.Message):
    __slots__ = ["connections", "total"]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    connections: _containers.RepeatedCompositeFieldContainer[ConnectionInfo]
    total: int
    def __init__(self, connections: _Optional[_Iterable[_Union[ConnectionInfo, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class ListMethodsRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ListMethodsResponse(_message.Message):
    __slots__ = ["methods"]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    methods: _containers.RepeatedCompositeFieldContainer[MethodInfo]
    def __init__(self, methods: _Optional[_Iterable[_Union[MethodInfo, _Mapping]]] = ...) -> None: ...

class MemoryUse(_message.Message):
    __slots__ = ["bytes", "bytes_max", "name"]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    bytes_max: int
    name: str
    def __init__(self, name: _Optional[str] = ..., bytes: _Optional[int] = ..., bytes_max: _Optional[int] = ...) -> None: ...

class MethodInfo(_message.Message):
    __slots__ = ["implemented", "kind", "path", "read_only"]
    IMPLEMENTED_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    READ_ONLY_FIELD_NUMBER: _ClassVar[int]
    implemented: bool
    kind: str
    path: str
    read_only: bool
    def __init__(self, path: _Optional[str] = ..., implemented: bool = ..., read_only: bool = ..., kind: _Optional[str] = ...) -> None: ...

class MethodStatistics(_message.Message):
    __slots__ = ["buckets", "bytes_in", "bytes_out", "kind", "max_us", "method", "open", "p50_us", "p90_us", "p99_us", "started", "statuses", "total_us"]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    BYTES_IN_FIELD_NUMBER: _ClassVar[int]
    BYTES_OUT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MAX_US_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    P50_US_FIELD_NUMBER: _ClassVar[int]
    P90_US_FIELD_NUMBER: _ClassVar[int]
    P99_US_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_US_FIELD_NUMBER: _ClassVar[int]
    buckets: _containers.RepeatedCompositeFieldContainer[LatencyBucket]
    bytes_in: int
    bytes_out: int
    kind: str
    max_us: int
    method: str
    open: int
    p50_us: int
    p90_us: int
    p99_us: int
    started: int
    statuses: _containers.RepeatedCompositeFieldContainer[StatusCount]
    total_us: int
    def __init__(self, method: _Optional[str] = ..., kind: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[StatusCount, _Mapping]]] = ..., started: _Optional[int] = ..., open: _Optional[int] = ..., bytes_in: _Optional[int] = ..., bytes_out: _Optional[int] = ..., total_us: _Optional[int] = ..., p50_us: _Optional[int] = ..., p90_us: _Optional[int] = ..., p99_us: _Optional[int] = ..., max_us: _Optional[int] = ..., buckets: _Optional[_Iterable[_Union[LatencyBucket, _Mapping]]] = ...) -> None: ...

class PipelineInfo(_message.Message):
    __slots__ = ["condition", "condition_since", "cursor", "detail", "lag_events", "lag_us", "last_error", "name", "unsettled_messages", "waiting"]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    CONDITION_SINCE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    LAG_EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAG_US_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNSETTLED_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    condition: PipelineCondition
    condition_since: _timestamp_pb2.Timestamp
    cursor: str
    detail: str
    lag_events: int
    lag_us: int
    last_error: str
    name: str
    unsettled_messages: int
    waiting: int
    def __init__(self, name: _Optional[str] = ..., cursor: _Optional[str] = ..., lag_events: _Optional[int] = ..., last_error: _Optional[str] = ..., condition: _Optional[_Union[PipelineCondition, str]] = ..., condition_since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., unsettled_messages: _Optional[int] = ..., lag_us: _Optional[int] = ..., waiting: _Optional[int] = ..., detail: _Optional[str] = ...) -> None: ...

class Quota(_message.Message):
    __slots__ = ["burst", "bytes_per_day", "calls_per_second", "max_streams", "model_tokens_per_day", "user_id"]
    BURST_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    MAX_STREAMS_FIELD_NUMBER: _ClassVar[int]
    MODEL_TOKENS_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    burst: int
    bytes_per_day: int
    calls_per_second: float
    max_streams: int
    model_tokens_per_day: int
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., calls_per_second: _Optional[float] = ..., burst: _Optional[int] = ..., model_tokens_per_day: _Optional[int] = ..., max_streams: _Optional[int] = ..., bytes_per_day: _Optional[int] = ...) -> None: ...

class QuotaUsage(_message.Message):
    __slots__ = ["bytes_today", "model_tokens_today", "resets_at", "streams"]
    BYTES_TODAY_FIELD_NUMBER: _ClassVar[int]
    MODEL_TOKENS_TODAY_FIELD_NUMBER: _ClassVar[int]
    RESETS_AT_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    bytes_today: int
    model_tokens_today: int
    resets_at: _timestamp_pb2.Timestamp
    streams: int
    def __init__(self, model_tokens_today: _Optional[int] = ..., bytes_today: _Optional[int] = ..., streams: _Optional[int] = ..., resets_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RefusalCount(_message.Message):
    __slots__ = ["count", "reason"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    count: int
    reason: str
    def __init__(self, reason: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class ServerStatistics(_message.Message):
    __slots__ = ["accepted_connections", "bytes_in", "bytes_out", "connections", "cpu_us", "event_loops", "memory", "now", "open_calls", "refusals", "refused_connections", "resident_bytes", "server_id", "slow_call_us", "started_at"]
    ACCEPTED_CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    BYTES_IN_FIELD_NUMBER: _ClassVar[int]
    BYTES_OUT_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    CPU_US_FIELD_NUMBER: _ClassVar[int]
    EVENT_LOOPS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    OPEN_CALLS_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    SLOW_CALL_US_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    accepted_connections: int
    bytes_in: int
    bytes_out: int
    connections: int
    cpu_us: int
    event_loops: _containers.RepeatedCompositeFieldContainer[EventLoopInfo]
    memory: _containers.RepeatedCompositeFieldContainer[MemoryUse]
    now: _timestamp_pb2.Timestamp
    open_calls: int
    refusals: _containers.RepeatedCompositeFieldContainer[RefusalCount]
    refused_connections: int
    resident_bytes: int
    server_id: str
    slow_call_us: int
    started_at: _timestamp_pb2.Timestamp
    def __init__(self, server_id: _Optional[str] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., now: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., connections: _Optional[int] = ..., accepted_connections: _Optional[int] = ..., refused_connections: _Optional[int] = ..., open_calls: _Optional[int] = ..., bytes_in: _Optional[int] = ..., bytes_out: _Optional[int] = ..., memory: _Optional[_Iterable[_Union[MemoryUse, _Mapping]]] = ..., refusals: _Optional[_Iterable[_Union[RefusalCount, _Mapping]]] = ..., event_loops: _Optional[_Iterable[_Union[EventLoopInfo, _Mapping]]] = ..., cpu_us: _Optional[int] = ..., resident_bytes: _Optional[int] = ..., slow_call_us: _Optional[int] = ...) -> None: ...

class SetQuotaRequest(_message.Message):
    __slots__ = ["quota"]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    quota: Quota
    def __init__(self, quota: _Optional[_Union[Quota, _Mapping]] = ...) -> None: ...

class SetQuotaResponse(_message.Message):
    __slots__ = ["quota"]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    quota: Quota
    def __init__(self, quota: _Optional[_Union[Quota, _Mapping]] = ...) -> None: ...

class SlowCall(_message.Message):
    __slots__ = ["duration_us", "ended_at", "method", "status", "trace_id", "user_id"]
    DURATION_US_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    duration_us: int
    ended_at: _timestamp_pb2.Timestamp
    method: str
    status: str
    trace_id: str
    user_id: str
    def __init__(self, method: _Optional[str] = ..., user_id: _Optional[str] = ..., duration_us: _Optional[int] = ..., status: _Optional[str] = ..., trace_id: _Optional[str] = ..., ended_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StatusCount(_message.Message):
    __slots__ = ["count", "status"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    count: int
    status: str
    def __init__(self, status: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class HealthStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class CallPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class PipelineCondition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class AuditKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
