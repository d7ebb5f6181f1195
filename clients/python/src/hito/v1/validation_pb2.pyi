from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hito.v1 import common_pb2 as _common_pb2
from hito.v1 import courses_pb2 as _courses_pb2
from hito.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
DIAGNOSTIC_LEVEL_ERROR: DiagnosticLevel
DIAGNOSTIC_LEVEL_NOTE: DiagnosticLevel
DIAGNOSTIC_LEVEL_UNSPECIFIED: DiagnosticLevel
DIAGNOSTIC_LEVEL_WARNING: DiagnosticLevel
RUN_STATUS_COMPILE_ERROR: RunStatus
RUN_STATUS_CPU_LIMIT: RunStatus
RUN_STATUS_EXIT_CODE: RunStatus
RUN_STATUS_MEMORY_LIMIT: RunStatus
RUN_STATUS_OK: RunStatus
RUN_STATUS_OUTPUT_LIMIT: RunStatus
RUN_STATUS_PROCESS_LIMIT: RunStatus
RUN_STATUS_REPORT_MISSING: RunStatus
RUN_STATUS_SANDBOX_UNAVAILABLE: RunStatus
RUN_STATUS_SIGNAL: RunStatus
RUN_STATUS_UNSPECIFIED: RunStatus
RUN_STATUS_WALL_LIMIT: RunStatus
TEST_STATUS_ERROR: TestStatus
TEST_STATUS_FAIL: TestStatus
TEST_STATUS_PASS: TestStatus
TEST_STATUS_UNSPECIFIED: TestStatus
VALIDATION_STAGE_BUILD: ValidationStage
VALIDATION_STAGE_FEEDBACK: ValidationStage
VALIDATION_STAGE_LINT: ValidationStage
VALIDATION_STAGE_PREPARE: ValidationStage
VALIDATION_STAGE_RETRIEVE: ValidationStage
VALIDATION_STAGE_SYNTAX: ValidationStage
VALIDATION_STAGE_TEST: ValidationStage
VALIDATION_STAGE_UNSPECIFIED: ValidationStage
VALIDATION_STAGE_VERDICT: ValidationStage
VERDICT_ERRORED: Verdict
VERDICT_FAILED: Verdict
VERDICT_INCONCLUSIVE: Verdict
VERDICT_PASSED: Verdict
VERDICT_UNSPECIFIED: Verdict

class CodeSnapshot(_message.Message):
    __slots__ = ["code_content", "course_id", "created_at", "file_path", "goal_id", "id", "language", "provenance", "reference_solution", "shared", "task_id", "updated_at", "user_id", "validation_feedback", "validation_score", "verdict", "version"]
    CODE_CONTENT_FIELD_NUMBER: _ClassVar[int]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    FILE_PATH_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_SOLUTION_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_SCORE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    code_content: str
    course_id: str
    created_at: _timestamp_pb2.Timestamp
    file_path: str
    goal_id: str
    id: str
    language: str
    provenance: Provenance
    reference_solution: bool
    shared: bool
    task_id: str
    updated_at: _timestamp_pb2.Timestamp
    user_id: str
    validation_feedback: str
    validation_score: float
    verdict: Verdict
    version: int
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ..., task_id: _Optional[str] = ..., goal_id: _Optional[str] = ..., file_path: _Optional[str] = ..., language: _Optional[str] = ..., code_content: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., validation_score: _Optional[float] = ..., validation_feedback: _Optional[str] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ..., shared: bool = ..., reference_solution: bool = ..., version: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., course_id: _Optional[str] = ...) -> None: ...

class CodeText(_message.Message):
    __slots__ = ["content", "language"]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    content: str
    language: str
    def __init__(self, language: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class CreateSnapshotRequest(_message.Message):
    __slots__ = ["code_content", "course_id", "file_path", "language", "task_id", "user_id"]
    CODE_CONTENT_FIELD_NUMBER: _ClassVar[int]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    FILE_PATH_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    code_content: str
    course_id: str
    file_path: str
    language: str
    task_id: str
    user_id: str
    def __init__(self, task_id: _Optional[str] = ..., file_path: _Optional[str] = ..., language: _Optional[str] = ..., code_content: _Optional[str] = ..., user_id: _Optional[str] = ..., course_id: _Optional[str] = ...) -> None: ...

class CreateSnapshotResponse(_message.Message):
    __slots__ = ["receipt", "snapshot"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    snapshot: CodeSnapshot
    def __init__(self, snapshot: _Optional[_Union[CodeSnapshot, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class Diagnostic(_message.Message):
    __slots__ = ["column", "end_column", "end_line", "level", "line", "message", "rule_id", "tool"]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    END_COLUMN_FIELD_NUMBER: _ClassVar[int]
    END_LINE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    column: int
    end_column: int
    end_line: int
    level: DiagnosticLevel
    line: int
    message: str
    rule_id: str
    tool: str
    def __init__(self, level: _Optional[_Union[DiagnosticLevel, str]] = ..., rule_id: _Optional[str] = ..., message: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., end_line: _Optional[int] = ..., end_column: _Optional[int] = ..., tool: _Optional[str] = ...) -> None: ...

class FeedbackResult(_message.Message):
    __slots__ = ["citations", "diagnostics", "text"]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    citations: _containers.RepeatedCompositeFieldContainer[_common_pb2.Citation]
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    text: str
    def __init__(self, text: _Optional[str] = ..., citations: _Optional[_Iterable[_Union[_common_pb2.Citation, _Mapping]]] = ..., diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class GetFeedbackRequest(_message.Message):
    __slots__ = ["code", "question", "snapshot_id"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    code: CodeText
    question: str
    snapshot_id: str
    def __init__(self, snapshot_id: _Optional[str] = ..., code: _Optional[_Union[CodeText, _Mapping]] = ..., question: _Optional[str] = ...) -> None: ...

class GetFeedbackResponse(_message.Message):
    __slots__ = ["context", "node_started", "result", "run_id", "token"]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    NODE_STARTED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    context: _courses_pb2.AgentContext
    node_started: _courses_pb2.AgentNodeStarted
    result: FeedbackResult
    run_id: str
    token: _courses_pb2.AgentToken
    def __init__(self, run_id: _Optional[str] = ..., node_started: _Optional[_Union[_courses_pb2.AgentNodeStarted, _Mapping]] = ..., context: _Optional[_Union[_courses_pb2.AgentContext, _Mapping]] = ..., token: _Optional[_Union[_courses_pb2.AgentToken, _Mapping]] = ..., result: _Optional[_Union[FeedbackResult, _Mapping]] = ...) -> None: ...

class GetSnapshotRequest(_message.Message):
    __slots__ = ["min_cursor", "snapshot_id"]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    min_cursor: str
    snapshot_id: str
    def __init__(self, snapshot_id: _Optional[str] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetSnapshotResponse(_message.Message):
    __slots__ = ["snapshot"]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: CodeSnapshot
    def __init__(self, snapshot: _Optional[_Union[CodeSnapshot, _Mapping]] = ...) -> None: ...

class ListSnapshotsRequest(_message.Message):
    __slots__ = ["min_cursor", "page", "task_id", "user_id", "verdict"]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    min_cursor: str
    page: _common_pb2.PageRequest
    task_id: str
    user_id: str
    verdict: Verdict
    def __init__(self, page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., user_id: _Optional[str] = ..., task_id: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class ListSnapshotsResponse(_message.Message):
    __slots__ = ["page", "snapshots"]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    page: _common_pb2.PageInfo
    snapshots: _containers.RepeatedCompositeFieldContainer[CodeSnapshot]
    def __init__(self, snapshots: _Optional[_Iterable[_Union[CodeSnapshot, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ["actor_id", "code_hash", "limits", "policy", "source", "tool_versions"]
    class LimitsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ToolVersionsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACTOR_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_HASH_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    actor_id: str
    code_hash: bytes
    limits: _containers.ScalarMap[str, str]
    policy: str
    source: str
    tool_versions: _containers.ScalarMap[str, str]
    def __init__(self, source: _Optional[str] = ..., actor_id: _Optional[str] = ..., tool_versions: _Optional[_Mapping[str, str]] = ..., limits: _Optional[_Mapping[str, str]] = ..., code_hash: _Optional[bytes] = ..., policy: _Optional[str] = ...) -> None: ...

class RecordVerdictRequest(_message.Message):
    __slots__ = ["expected_version", "feedback", "provenance", "score", "snapshot_id", "verdict"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    feedback: str
    provenance: Provenance
    score: float
    snapshot_id: str
    verdict: Verdict
    def __init__(self, snapshot_id: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., score: _Optional[float] = ..., feedback: _Optional[str] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class RecordVerdictResponse(_message.Message):
    __slots__ = ["receipt", "snapshot"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    snapshot: CodeSnapshot
    def __init__(self, snapshot: _Optional[_Union[CodeSnapshot, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class RunOutcome(_message.Message):
    __slots__ = ["code", "cpu_us", "memory_bytes", "status", "wall_us"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CPU_US_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WALL_US_FIELD_NUMBER: _ClassVar[int]
    code: int
    cpu_us: int
    memory_bytes: int
    status: RunStatus
    wall_us: int
    def __init__(self, status: _Optional[_Union[RunStatus, str]] = ..., code: _Optional[int] = ..., cpu_us: _Optional[int] = ..., wall_us: _Optional[int] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class SetSharingRequest(_message.Message):
    __slots__ = ["expected_version", "shared", "snapshot_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    shared: bool
    snapshot_id: str
    def __init__(self, snapshot_id: _Optional[str] = ..., shared: bool = ..., expected_version: _Optional[int] = ...) -> None: ...

class SetSharingResponse(_message.Message):
    __slots__ = ["receipt", "snapshot"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    snapshot: CodeSnapshot
    def __init__(self, snapshot: _Optional[_Union[CodeSnapshot, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class TestResult(_message.Message):
    __slots__ = ["hidden", "message", "name", "output", "status", "weight"]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    hidden: bool
    message: str
    name: str
    output: str
    status: TestStatus
    weight: float
    def __init__(self, name: _Optional[str] = ..., status: _Optional[_Union[TestStatus, str]] = ..., message: _Optional[str] = ..., output: _Optional[str] = ..., weight: _Optional[float] = ..., hidden: bool = ...) -> None: ...

class ValidateCodeRequest(_message.Message):
    __slots__ = ["snapshot_id", "with_feedback"]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    WITH_FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    with_feedback: bool
    def __init__(self, snapshot_id: _Optional[str] = ..., with_feedback: bool = ...) -> None: ...

class ValidateCodeResponse(_message.Message):
    __slots__ = ["diagnostic", "result", "run", "stage", "started", "test", "token"]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    diagnostic: Diagnostic
    result: CodeSnapshot
    run: RunOutcome
    stage: ValidationStage
    started: bool
    test: TestResult
    token: _courses_pb2.AgentToken
    def __init__(self, stage: _Optional[_Union[ValidationStage, str]] = ..., started: bool = ..., diagnostic: _Optional[_Union[Diagnostic, _Mapping]] = ..., test: _Optional[_Union[TestResult, _Mapping]] = ..., run: _Optional[_Union[RunOutcome, _Mapping]] = ..., token: _Optional[_Union[_courses_pb2.AgentToken, _Mapping]] = ..., result: _Optional[_Union[CodeSnapshot, _Mapping]] = ...) -> None: ...

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class RunStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DiagnosticLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class TestStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ValidationStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
