from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hito.v1 import common_pb2 as _common_pb2
from hito.v1 import courses_pb2 as _courses_pb2
from hito.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

ADVICE_ACTIONABLE: Advice
ADVICE_ESSENTIAL: Advice
ADVICE_INFORMATIVE: Advice
ADVICE_UNSPECIFIED: Advice
DESCRIPTOR: _descriptor.FileDescriptor
DIAGNOSTIC_LEVEL_ERROR: DiagnosticLevel
DIAGNOSTIC_LEVEL_NOTE: DiagnosticLevel
DIAGNOSTIC_LEVEL_UNSPECIFIED: DiagnosticLevel
DIAGNOSTIC_LEVEL_WARNING: DiagnosticLevel
FILE_CHANGE_ADDED: FileChange
FILE_CHANGE_CHANGED: FileChange
FILE_CHANGE_REMOVED: FileChange
FILE_CHANGE_SAME: FileChange
FILE_CHANGE_UNSPECIFIED: FileChange
LINE_CHANGE_ADDED: LineChange
LINE_CHANGE_REMOVED: LineChange
LINE_CHANGE_SAME: LineChange
LINE_CHANGE_UNSPECIFIED: LineChange
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
STAGE_STATUS_ERRORED: StageStatus
STAGE_STATUS_ISSUES: StageStatus
STAGE_STATUS_OK: StageStatus
STAGE_STATUS_SKIPPED: StageStatus
STAGE_STATUS_TIMED_OUT: StageStatus
STAGE_STATUS_UNAVAILABLE: StageStatus
STAGE_STATUS_UNSPECIFIED: StageStatus
TEST_KIND_NODE_TEST: TestKind
TEST_KIND_PROTOCOL: TestKind
TEST_KIND_PYTEST: TestKind
TEST_KIND_STDIO: TestKind
TEST_KIND_UNITTEST: TestKind
TEST_KIND_UNSPECIFIED: TestKind
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
VALIDATION_STATUS_CANCELLED: ValidationStatus
VALIDATION_STATUS_COMPLETED: ValidationStatus
VALIDATION_STATUS_QUEUED: ValidationStatus
VALIDATION_STATUS_RUNNING: ValidationStatus
VALIDATION_STATUS_UNSPECIFIED: ValidationStatus
VERDICT_ERRORED: Verdict
VERDICT_FAILED: Verdict
VERDICT_INCONCLUSIVE: Verdict
VERDICT_PASSED: Verdict
VERDICT_UNSPECIFIED: Verdict

class CancelValidationRequest(_message.Message):
    __slots__ = ["run_id"]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class CancelValidationResponse(_message.Message):
    __slots__ = ["receipt", "validation"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    validation: ValidationRun
    def __init__(self, validation: _Optional[_Union[ValidationRun, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class ClearTaskTestsRequest(_message.Message):
    __slots__ = ["task_ids"]
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, task_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ClearTaskTestsResponse(_message.Message):
    __slots__ = ["changed_count", "receipt"]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    changed_count: int
    receipt: _common_pb2.WriteReceipt
    def __init__(self, changed_count: _Optional[int] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class CodeSnapshot(_message.Message):
    __slots__ = ["code_content", "course_id", "created_at", "file_path", "files", "goal_id", "id", "language", "provenance", "reference_solution", "shared", "task_id", "updated_at", "user_id", "validation_feedback", "validation_score", "verdict", "version"]
    CODE_CONTENT_FIELD_NUMBER: _ClassVar[int]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
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
    files: _containers.RepeatedCompositeFieldContainer[SourceFile]
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
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ..., task_id: _Optional[str] = ..., goal_id: _Optional[str] = ..., file_path: _Optional[str] = ..., language: _Optional[str] = ..., code_content: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., validation_score: _Optional[float] = ..., validation_feedback: _Optional[str] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ..., shared: bool = ..., reference_solution: bool = ..., version: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., course_id: _Optional[str] = ..., files: _Optional[_Iterable[_Union[SourceFile, _Mapping]]] = ...) -> None: ...

class CodeText(_message.Message):
    __slots__ = ["content", "language"]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    content: str
    language: str
    def __init__(self, language: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class CompareSnapshotsRequest(_message.Message):
    __slots__ = ["earlier_snapshot_id", "snapshot_id"]
    EARLIER_SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    earlier_snapshot_id: str
    snapshot_id: str
    def __init__(self, earlier_snapshot_id: _Optional[str] = ..., snapshot_id: _Optional[str] = ...) -> None: ...

class CompareSnapshotsResponse(_message.Message):
    __slots__ = ["earlier", "files", "fixed_diagnostics", "new_diagnostics", "snapshot", "tests"]
    EARLIER_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    FIXED_DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    NEW_DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    earlier: CodeSnapshot
    files: _containers.RepeatedCompositeFieldContainer[FileComparison]
    fixed_diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    new_diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    snapshot: CodeSnapshot
    tests: _containers.RepeatedCompositeFieldContainer[TestComparison]
    def __init__(self, earlier: _Optional[_Union[CodeSnapshot, _Mapping]] = ..., snapshot: _Optional[_Union[CodeSnapshot, _Mapping]] = ..., files: _Optional[_Iterable[_Union[FileComparison, _Mapping]]] = ..., tests: _Optional[_Iterable[_Union[TestComparison, _Mapping]]] = ..., new_diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ..., fixed_diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class ComparedLine(_message.Message):
    __slots__ = ["change", "text"]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    change: LineChange
    text: str
    def __init__(self, change: _Optional[_Union[LineChange, str]] = ..., text: _Optional[str] = ...) -> None: ...

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
    __slots__ = ["advice", "column", "end_column", "end_line", "fix", "fix_is_safe", "level", "line", "message", "path", "rule_id", "rule_url", "tool"]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    END_COLUMN_FIELD_NUMBER: _ClassVar[int]
    END_LINE_FIELD_NUMBER: _ClassVar[int]
    FIX_FIELD_NUMBER: _ClassVar[int]
    FIX_IS_SAFE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_URL_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    advice: Advice
    column: int
    end_column: int
    end_line: int
    fix: _containers.RepeatedCompositeFieldContainer[SourceEdit]
    fix_is_safe: bool
    level: DiagnosticLevel
    line: int
    message: str
    path: str
    rule_id: str
    rule_url: str
    tool: str
    def __init__(self, level: _Optional[_Union[DiagnosticLevel, str]] = ..., rule_id: _Optional[str] = ..., message: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., end_line: _Optional[int] = ..., end_column: _Optional[int] = ..., tool: _Optional[str] = ..., path: _Optional[str] = ..., rule_url: _Optional[str] = ..., advice: _Optional[_Union[Advice, str]] = ..., fix: _Optional[_Iterable[_Union[SourceEdit, _Mapping]]] = ..., fix_is_safe: bool = ...) -> None: ...

class ExpectedTest(_message.Message):
    __slots__ = ["arguments", "hidden", "id", "input", "output", "points", "title", "weight"]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    arguments: _containers.RepeatedScalarFieldContainer[str]
    hidden: bool
    id: str
    input: str
    output: str
    points: int
    title: str
    weight: float
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., weight: _Optional[float] = ..., points: _Optional[int] = ..., hidden: bool = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., arguments: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportSarifRequest(_message.Message):
    __slots__ = ["run_id"]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class ExportSarifResponse(_message.Message):
    __slots__ = ["sarif"]
    SARIF_FIELD_NUMBER: _ClassVar[int]
    sarif: str
    def __init__(self, sarif: _Optional[str] = ...) -> None: ...

class FeedbackResult(_message.Message):
    __slots__ = ["citations", "diagnostics", "text"]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    citations: _containers.RepeatedCompositeFieldContainer[_common_pb2.Citation]
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    text: str
    def __init__(self, text: _Optional[str] = ..., citations: _Optional[_Iterable[_Union[_common_pb2.Citation, _Mapping]]] = ..., diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class FileComparison(_message.Message):
    __slots__ = ["added_lines", "change", "dropped_line_count", "lines", "path", "removed_lines"]
    ADDED_LINES_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    DROPPED_LINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    REMOVED_LINES_FIELD_NUMBER: _ClassVar[int]
    added_lines: int
    change: FileChange
    dropped_line_count: int
    lines: _containers.RepeatedCompositeFieldContainer[ComparedLine]
    path: str
    removed_lines: int
    def __init__(self, path: _Optional[str] = ..., change: _Optional[_Union[FileChange, str]] = ..., added_lines: _Optional[int] = ..., removed_lines: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[ComparedLine, _Mapping]]] = ..., dropped_line_count: _Optional[int] = ...) -> None: ...

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

class GetTaskTestsRequest(_message.Message):
    __slots__ = ["min_cursor", "task_id", "with_history"]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    WITH_HISTORY_FIELD_NUMBER: _ClassVar[int]
    min_cursor: str
    task_id: str
    with_history: bool
    def __init__(self, task_id: _Optional[str] = ..., with_history: bool = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetTaskTestsResponse(_message.Message):
    __slots__ = ["history", "tests"]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    history: _containers.RepeatedCompositeFieldContainer[TaskTests]
    tests: TaskTests
    def __init__(self, tests: _Optional[_Union[TaskTests, _Mapping]] = ..., history: _Optional[_Iterable[_Union[TaskTests, _Mapping]]] = ...) -> None: ...

class GetValidationRequest(_message.Message):
    __slots__ = ["min_cursor", "run_id"]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    min_cursor: str
    run_id: str
    def __init__(self, run_id: _Optional[str] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetValidationResponse(_message.Message):
    __slots__ = ["validation"]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    validation: ValidationRun
    def __init__(self, validation: _Optional[_Union[ValidationRun, _Mapping]] = ...) -> None: ...

class ImportSarifRequest(_message.Message):
    __slots__ = ["sarif", "snapshot_id"]
    SARIF_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    sarif: str
    snapshot_id: str
    def __init__(self, snapshot_id: _Optional[str] = ..., sarif: _Optional[str] = ...) -> None: ...

class ImportSarifResponse(_message.Message):
    __slots__ = ["receipt", "validation"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    validation: ValidationRun
    def __init__(self, validation: _Optional[_Union[ValidationRun, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class LanguageSupport(_message.Message):
    __slots__ = ["language", "missing_tools", "stages", "test_kinds", "tool_versions"]
    class ToolVersionsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MISSING_TOOLS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    TEST_KINDS_FIELD_NUMBER: _ClassVar[int]
    TOOL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    language: str
    missing_tools: _containers.RepeatedScalarFieldContainer[str]
    stages: _containers.RepeatedScalarFieldContainer[ValidationStage]
    test_kinds: _containers.RepeatedScalarFieldContainer[TestKind]
    tool_versions: _containers.ScalarMap[str, str]
    def __init__(self, language: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[ValidationStage, str]]] = ..., test_kinds: _Optional[_Iterable[_Union[TestKind, str]]] = ..., tool_versions: _Optional[_Mapping[str, str]] = ..., missing_tools: _Optional[_Iterable[str]] = ...) -> None: ...

class ListLanguagesRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ListLanguagesResponse(_message.Message):
    __slots__ = ["languages", "reason"]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    languages: _containers.RepeatedCompositeFieldContainer[LanguageSupport]
    reason: str
    def __init__(self, languages: _Optional[_Iterable[_Union[LanguageSupport, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

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

class ListValidationsRequest(_message.Message):
    __slots__ = ["group_id", "min_cursor", "page", "snapshot_id", "status", "task_id", "user_id"]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    min_cursor: str
    page: _common_pb2.PageRequest
    snapshot_id: str
    status: ValidationStatus
    task_id: str
    user_id: str
    def __init__(self, page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., snapshot_id: _Optional[str] = ..., user_id: _Optional[str] = ..., task_id: _Optional[str] = ..., group_id: _Optional[str] = ..., status: _Optional[_Union[ValidationStatus, str]] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class ListValidationsResponse(_message.Message):
    __slots__ = ["page", "validations"]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    VALIDATIONS_FIELD_NUMBER: _ClassVar[int]
    page: _common_pb2.PageInfo
    validations: _containers.RepeatedCompositeFieldContainer[ValidationRun]
    def __init__(self, validations: _Optional[_Iterable[_Union[ValidationRun, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

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

class QueuePlace(_message.Message):
    __slots__ = ["position"]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: int
    def __init__(self, position: _Optional[int] = ...) -> None: ...

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

class RevalidateRequest(_message.Message):
    __slots__ = ["apply", "cursor", "preview_id", "snapshot_id", "suite_id", "task_ids"]
    APPLY_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_ID_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    SUITE_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    apply: bool
    cursor: str
    preview_id: str
    snapshot_id: str
    suite_id: str
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, snapshot_id: _Optional[str] = ..., task_ids: _Optional[_Iterable[str]] = ..., suite_id: _Optional[str] = ..., preview_id: _Optional[str] = ..., apply: bool = ..., cursor: _Optional[str] = ...) -> None: ...

class RevalidateResponse(_message.Message):
    __slots__ = ["cursor", "group_id", "snapshot", "summary"]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    group_id: str
    snapshot: RevalidatedSnapshot
    summary: RevalidationSummary
    def __init__(self, group_id: _Optional[str] = ..., snapshot: _Optional[_Union[RevalidatedSnapshot, _Mapping]] = ..., summary: _Optional[_Union[RevalidationSummary, _Mapping]] = ..., cursor: _Optional[str] = ...) -> None: ...

class RevalidatedSnapshot(_message.Message):
    __slots__ = ["applied", "changed", "reason", "run_id", "score_after", "score_before", "snapshot_id", "task_id", "user_id", "verdict_after", "verdict_before"]
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_AFTER_FIELD_NUMBER: _ClassVar[int]
    SCORE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_AFTER_FIELD_NUMBER: _ClassVar[int]
    VERDICT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    applied: bool
    changed: bool
    reason: str
    run_id: str
    score_after: float
    score_before: float
    snapshot_id: str
    task_id: str
    user_id: str
    verdict_after: Verdict
    verdict_before: Verdict
    def __init__(self, run_id: _Optional[str] = ..., snapshot_id: _Optional[str] = ..., user_id: _Optional[str] = ..., task_id: _Optional[str] = ..., verdict_before: _Optional[_Union[Verdict, str]] = ..., verdict_after: _Optional[_Union[Verdict, str]] = ..., score_before: _Optional[float] = ..., score_after: _Optional[float] = ..., changed: bool = ..., applied: bool = ..., reason: _Optional[str] = ...) -> None: ...

class RevalidationSummary(_message.Message):
    __slots__ = ["applied_count", "changed_count", "count", "newly_failed_count", "newly_passed_count", "score_difference", "undecided_count"]
    APPLIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    NEWLY_FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEWLY_PASSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SCORE_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    UNDECIDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    applied_count: int
    changed_count: int
    count: int
    newly_failed_count: int
    newly_passed_count: int
    score_difference: float
    undecided_count: int
    def __init__(self, count: _Optional[int] = ..., changed_count: _Optional[int] = ..., applied_count: _Optional[int] = ..., newly_passed_count: _Optional[int] = ..., newly_failed_count: _Optional[int] = ..., score_difference: _Optional[float] = ..., undecided_count: _Optional[int] = ...) -> None: ...

class RunLimits(_message.Message):
    __slots__ = ["cpu_ms", "file_bytes", "memory_bytes", "output_bytes", "process_count"]
    CPU_MS_FIELD_NUMBER: _ClassVar[int]
    FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROCESS_COUNT_FIELD_NUMBER: _ClassVar[int]
    cpu_ms: int
    file_bytes: int
    memory_bytes: int
    output_bytes: int
    process_count: int
    def __init__(self, cpu_ms: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., process_count: _Optional[int] = ..., output_bytes: _Optional[int] = ..., file_bytes: _Optional[int] = ...) -> None: ...

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

class ScorePolicy(_message.Message):
    __slots__ = ["ignored_rules", "name", "passing_score", "test_share"]
    IGNORED_RULES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PASSING_SCORE_FIELD_NUMBER: _ClassVar[int]
    TEST_SHARE_FIELD_NUMBER: _ClassVar[int]
    ignored_rules: _containers.RepeatedScalarFieldContainer[str]
    name: str
    passing_score: float
    test_share: float
    def __init__(self, name: _Optional[str] = ..., test_share: _Optional[float] = ..., passing_score: _Optional[float] = ..., ignored_rules: _Optional[_Iterable[str]] = ...) -> None: ...

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

class SetTaskTestsRequest(_message.Message):
    __slots__ = ["suite", "task_ids"]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    suite: TestSuite
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, task_ids: _Optional[_Iterable[str]] = ..., suite: _Optional[_Union[TestSuite, _Mapping]] = ...) -> None: ...

class SetTaskTestsResponse(_message.Message):
    __slots__ = ["changed_count", "receipt", "suite_id"]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    SUITE_ID_FIELD_NUMBER: _ClassVar[int]
    changed_count: int
    receipt: _common_pb2.WriteReceipt
    suite_id: str
    def __init__(self, suite_id: _Optional[str] = ..., changed_count: _Optional[int] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class SourceEdit(_message.Message):
    __slots__ = ["column", "end_column", "end_line", "line", "replacement"]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    END_COLUMN_FIELD_NUMBER: _ClassVar[int]
    END_LINE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    REPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    column: int
    end_column: int
    end_line: int
    line: int
    replacement: str
    def __init__(self, line: _Optional[int] = ..., column: _Optional[int] = ..., end_line: _Optional[int] = ..., end_column: _Optional[int] = ..., replacement: _Optional[str] = ...) -> None: ...

class SourceFile(_message.Message):
    __slots__ = ["content", "path"]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    content: str
    path: str
    def __init__(self, path: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class StageReport(_message.Message):
    __slots__ = ["duration_us", "note", "stage", "status", "tool"]
    DURATION_US_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    duration_us: int
    note: str
    stage: ValidationStage
    status: StageStatus
    tool: str
    def __init__(self, stage: _Optional[_Union[ValidationStage, str]] = ..., status: _Optional[_Union[StageStatus, str]] = ..., tool: _Optional[str] = ..., note: _Optional[str] = ..., duration_us: _Optional[int] = ...) -> None: ...

class Submission(_message.Message):
    __slots__ = ["files", "language", "main_path", "task_id", "user_id"]
    FILES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MAIN_PATH_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[SourceFile]
    language: str
    main_path: str
    task_id: str
    user_id: str
    def __init__(self, task_id: _Optional[str] = ..., language: _Optional[str] = ..., files: _Optional[_Iterable[_Union[SourceFile, _Mapping]]] = ..., main_path: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class SubmissionRefusal(_message.Message):
    __slots__ = ["code", "message"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class TaskTests(_message.Message):
    __slots__ = ["is_cut", "set_at", "set_by", "suite", "task_id", "version"]
    IS_CUT_FIELD_NUMBER: _ClassVar[int]
    SET_AT_FIELD_NUMBER: _ClassVar[int]
    SET_BY_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    is_cut: bool
    set_at: _timestamp_pb2.Timestamp
    set_by: str
    suite: TestSuite
    task_id: str
    version: int
    def __init__(self, task_id: _Optional[str] = ..., suite: _Optional[_Union[TestSuite, _Mapping]] = ..., set_by: _Optional[str] = ..., set_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ..., is_cut: bool = ...) -> None: ...

class TestComparison(_message.Message):
    __slots__ = ["after", "before", "id", "name"]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    after: TestStatus
    before: TestStatus
    id: str
    name: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., before: _Optional[_Union[TestStatus, str]] = ..., after: _Optional[_Union[TestStatus, str]] = ...) -> None: ...

class TestResult(_message.Message):
    __slots__ = ["duration_us", "flaky", "hidden", "id", "message", "name", "output", "points", "status", "weight"]
    DURATION_US_FIELD_NUMBER: _ClassVar[int]
    FLAKY_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    duration_us: int
    flaky: bool
    hidden: bool
    id: str
    message: str
    name: str
    output: str
    points: int
    status: TestStatus
    weight: float
    def __init__(self, name: _Optional[str] = ..., status: _Optional[_Union[TestStatus, str]] = ..., message: _Optional[str] = ..., output: _Optional[str] = ..., weight: _Optional[float] = ..., hidden: bool = ..., id: _Optional[str] = ..., points: _Optional[int] = ..., duration_us: _Optional[int] = ..., flaky: bool = ...) -> None: ...

class TestSuite(_message.Message):
    __slots__ = ["command", "completes_task", "files", "hash", "id", "kind", "language", "limits", "policy", "tests"]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    COMPLETES_TASK_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    command: _containers.RepeatedScalarFieldContainer[str]
    completes_task: bool
    files: _containers.RepeatedCompositeFieldContainer[SourceFile]
    hash: bytes
    id: str
    kind: TestKind
    language: str
    limits: RunLimits
    policy: ScorePolicy
    tests: _containers.RepeatedCompositeFieldContainer[ExpectedTest]
    def __init__(self, id: _Optional[str] = ..., language: _Optional[str] = ..., kind: _Optional[_Union[TestKind, str]] = ..., files: _Optional[_Iterable[_Union[SourceFile, _Mapping]]] = ..., tests: _Optional[_Iterable[_Union[ExpectedTest, _Mapping]]] = ..., command: _Optional[_Iterable[str]] = ..., limits: _Optional[_Union[RunLimits, _Mapping]] = ..., policy: _Optional[_Union[ScorePolicy, _Mapping]] = ..., completes_task: bool = ..., hash: _Optional[bytes] = ...) -> None: ...

class ValidateBatchRequest(_message.Message):
    __slots__ = ["cursor", "runs", "submissions"]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    SUBMISSIONS_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    runs: int
    submissions: _containers.RepeatedCompositeFieldContainer[Submission]
    def __init__(self, submissions: _Optional[_Iterable[_Union[Submission, _Mapping]]] = ..., runs: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ValidateBatchResponse(_message.Message):
    __slots__ = ["accepted", "cursor", "finished", "group_id", "index", "refused"]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    accepted: ValidationRun
    cursor: str
    finished: ValidationRun
    group_id: str
    index: int
    refused: SubmissionRefusal
    def __init__(self, index: _Optional[int] = ..., accepted: _Optional[_Union[ValidationRun, _Mapping]] = ..., finished: _Optional[_Union[ValidationRun, _Mapping]] = ..., refused: _Optional[_Union[SubmissionRefusal, _Mapping]] = ..., group_id: _Optional[str] = ..., cursor: _Optional[str] = ...) -> None: ...

class ValidateCodeRequest(_message.Message):
    __slots__ = ["runs", "seed", "snapshot_id", "submission", "suite", "with_feedback"]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBMISSION_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    WITH_FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    runs: int
    seed: int
    snapshot_id: str
    submission: Submission
    suite: TestSuite
    with_feedback: bool
    def __init__(self, snapshot_id: _Optional[str] = ..., with_feedback: bool = ..., submission: _Optional[_Union[Submission, _Mapping]] = ..., runs: _Optional[int] = ..., seed: _Optional[int] = ..., suite: _Optional[_Union[TestSuite, _Mapping]] = ...) -> None: ...

class ValidateCodeResponse(_message.Message):
    __slots__ = ["attempt", "context", "cursor", "diagnostic", "feedback", "queued", "result", "run", "run_id", "stage", "stage_finished", "started", "test", "token", "validation"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FINISHED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    context: _courses_pb2.AgentContext
    cursor: str
    diagnostic: Diagnostic
    feedback: FeedbackResult
    queued: QueuePlace
    result: CodeSnapshot
    run: RunOutcome
    run_id: str
    stage: ValidationStage
    stage_finished: StageReport
    started: bool
    test: TestResult
    token: _courses_pb2.AgentToken
    validation: ValidationRun
    def __init__(self, stage: _Optional[_Union[ValidationStage, str]] = ..., started: bool = ..., diagnostic: _Optional[_Union[Diagnostic, _Mapping]] = ..., test: _Optional[_Union[TestResult, _Mapping]] = ..., run: _Optional[_Union[RunOutcome, _Mapping]] = ..., token: _Optional[_Union[_courses_pb2.AgentToken, _Mapping]] = ..., result: _Optional[_Union[CodeSnapshot, _Mapping]] = ..., queued: _Optional[_Union[QueuePlace, _Mapping]] = ..., stage_finished: _Optional[_Union[StageReport, _Mapping]] = ..., feedback: _Optional[_Union[FeedbackResult, _Mapping]] = ..., context: _Optional[_Union[_courses_pb2.AgentContext, _Mapping]] = ..., run_id: _Optional[str] = ..., cursor: _Optional[str] = ..., attempt: _Optional[int] = ..., validation: _Optional[_Union[ValidationRun, _Mapping]] = ...) -> None: ...

class ValidationReport(_message.Message):
    __slots__ = ["diagnostics", "dropped_diagnostic_count", "limits", "policy", "reason", "runs", "score", "seed", "stages", "submission_hash", "suite_hash", "tests", "tool_versions", "verdict"]
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
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_DIAGNOSTIC_COUNT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    SUBMISSION_HASH_FIELD_NUMBER: _ClassVar[int]
    SUITE_HASH_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    TOOL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    dropped_diagnostic_count: int
    limits: _containers.ScalarMap[str, str]
    policy: str
    reason: str
    runs: _containers.RepeatedCompositeFieldContainer[RunOutcome]
    score: float
    seed: int
    stages: _containers.RepeatedCompositeFieldContainer[StageReport]
    submission_hash: bytes
    suite_hash: bytes
    tests: _containers.RepeatedCompositeFieldContainer[TestResult]
    tool_versions: _containers.ScalarMap[str, str]
    verdict: Verdict
    def __init__(self, verdict: _Optional[_Union[Verdict, str]] = ..., score: _Optional[float] = ..., reason: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[StageReport, _Mapping]]] = ..., diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ..., dropped_diagnostic_count: _Optional[int] = ..., tests: _Optional[_Iterable[_Union[TestResult, _Mapping]]] = ..., runs: _Optional[_Iterable[_Union[RunOutcome, _Mapping]]] = ..., tool_versions: _Optional[_Mapping[str, str]] = ..., limits: _Optional[_Mapping[str, str]] = ..., policy: _Optional[str] = ..., submission_hash: _Optional[bytes] = ..., suite_hash: _Optional[bytes] = ..., seed: _Optional[int] = ...) -> None: ...

class ValidationRun(_message.Message):
    __slots__ = ["attempts", "caller_id", "created_at", "finished_at", "group_id", "preview", "queue_position", "report", "run_id", "score", "snapshot_id", "started_at", "status", "suite_id", "task_id", "user_id", "verdict"]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CALLER_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    QUEUE_POSITION_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SUITE_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    attempts: int
    caller_id: str
    created_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    group_id: str
    preview: bool
    queue_position: int
    report: ValidationReport
    run_id: str
    score: float
    snapshot_id: str
    started_at: _timestamp_pb2.Timestamp
    status: ValidationStatus
    suite_id: str
    task_id: str
    user_id: str
    verdict: Verdict
    def __init__(self, run_id: _Optional[str] = ..., snapshot_id: _Optional[str] = ..., user_id: _Optional[str] = ..., caller_id: _Optional[str] = ..., task_id: _Optional[str] = ..., suite_id: _Optional[str] = ..., status: _Optional[_Union[ValidationStatus, str]] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., score: _Optional[float] = ..., report: _Optional[_Union[ValidationReport, _Mapping]] = ..., attempts: _Optional[int] = ..., preview: bool = ..., group_id: _Optional[str] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., queue_position: _Optional[int] = ...) -> None: ...

class WatchValidationRequest(_message.Message):
    __slots__ = ["cursor", "run_id"]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    run_id: str
    def __init__(self, run_id: _Optional[str] = ..., cursor: _Optional[str] = ...) -> None: ...

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class RunStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DiagnosticLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Advice(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class TestStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ValidationStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class StageStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ValidationStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class FileChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class LineChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class TestKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
