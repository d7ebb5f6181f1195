from google.protobuf import field_mask_pb2 as _field_mask_pb2
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
PROPOSAL_DECISION_APPROVE: ProposalDecision
PROPOSAL_DECISION_REJECT: ProposalDecision
PROPOSAL_DECISION_UNSPECIFIED: ProposalDecision

class ArchiveGoalRequest(_message.Message):
    __slots__ = ["expected_version", "goal_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    goal_id: str
    def __init__(self, goal_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ArchiveGoalResponse(_message.Message):
    __slots__ = ["goal", "receipt"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    goal: Goal
    receipt: _common_pb2.WriteReceipt
    def __init__(self, goal: _Optional[_Union[Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class CompleteGoalRequest(_message.Message):
    __slots__ = ["expected_version", "goal_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    goal_id: str
    def __init__(self, goal_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class CompleteGoalResponse(_message.Message):
    __slots__ = ["goal", "receipt"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    goal: Goal
    receipt: _common_pb2.WriteReceipt
    def __init__(self, goal: _Optional[_Union[Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class ContractFinding(_message.Message):
    __slots__ = ["description", "field", "rule"]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    description: str
    field: str
    rule: str
    def __init__(self, rule: _Optional[str] = ..., field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class ContractFindings(_message.Message):
    __slots__ = ["attempt", "findings"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    findings: _containers.RepeatedCompositeFieldContainer[ContractFinding]
    def __init__(self, attempt: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[ContractFinding, _Mapping]]] = ...) -> None: ...

class CreateGoalRequest(_message.Message):
    __slots__ = ["course_id", "description", "target_date", "tasks", "title", "user_id", "validation_criteria"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TARGET_DATE_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_CRITERIA_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    description: str
    target_date: _timestamp_pb2.Timestamp
    tasks: _containers.RepeatedCompositeFieldContainer[NewTask]
    title: str
    user_id: str
    validation_criteria: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, title: _Optional[str] = ..., description: _Optional[str] = ..., course_id: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[NewTask, _Mapping]]] = ..., validation_criteria: _Optional[_Iterable[str]] = ..., target_date: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., user_id: _Optional[str] = ...) -> None: ...

class CreateGoalResponse(_message.Message):
    __slots__ = ["goal", "receipt", "tasks"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    goal: Goal
    receipt: _common_pb2.WriteReceipt
    tasks: _containers.RepeatedCompositeFieldContainer[GoalTask]
    def __init__(self, goal: _Optional[_Union[Goal, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[GoalTask, _Mapping]]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class DeleteGoalRequest(_message.Message):
    __slots__ = ["expected_version", "goal_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    goal_id: str
    def __init__(self, goal_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class DeleteGoalResponse(_message.Message):
    __slots__ = ["receipt"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    def __init__(self, receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class GenerateGoalRequest(_message.Message):
    __slots__ = ["course_id", "language", "prompt", "require_approval", "user_id"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    language: str
    prompt: str
    require_approval: bool
    user_id: str
    def __init__(self, prompt: _Optional[str] = ..., course_id: _Optional[str] = ..., user_id: _Optional[str] = ..., require_approval: bool = ..., language: _Optional[str] = ...) -> None: ...

class GenerateGoalResponse(_message.Message):
    __slots__ = ["context", "cursor", "findings", "node_started", "proposal", "result", "run_id", "token"]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    NODE_STARTED_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    context: _courses_pb2.AgentContext
    cursor: str
    findings: ContractFindings
    node_started: _courses_pb2.AgentNodeStarted
    proposal: GoalProposal
    result: GeneratedGoal
    run_id: str
    token: _courses_pb2.AgentToken
    def __init__(self, run_id: _Optional[str] = ..., cursor: _Optional[str] = ..., node_started: _Optional[_Union[_courses_pb2.AgentNodeStarted, _Mapping]] = ..., context: _Optional[_Union[_courses_pb2.AgentContext, _Mapping]] = ..., token: _Optional[_Union[_courses_pb2.AgentToken, _Mapping]] = ..., findings: _Optional[_Union[ContractFindings, _Mapping]] = ..., proposal: _Optional[_Union[GoalProposal, _Mapping]] = ..., result: _Optional[_Union[GeneratedGoal, _Mapping]] = ...) -> None: ...

class GeneratedGoal(_message.Message):
    __slots__ = ["citations", "goal", "planner", "receipt", "tasks"]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    PLANNER_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    citations: _containers.RepeatedCompositeFieldContainer[_common_pb2.Citation]
    goal: Goal
    planner: str
    receipt: _common_pb2.WriteReceipt
    tasks: _containers.RepeatedCompositeFieldContainer[GoalTask]
    def __init__(self, goal: _Optional[_Union[Goal, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[GoalTask, _Mapping]]] = ..., citations: _Optional[_Iterable[_Union[_common_pb2.Citation, _Mapping]]] = ..., planner: _Optional[str] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class GetGoalRequest(_message.Message):
    __slots__ = ["goal_id", "min_cursor"]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    goal_id: str
    min_cursor: str
    def __init__(self, goal_id: _Optional[str] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetGoalResponse(_message.Message):
    __slots__ = ["goal", "tasks"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    goal: Goal
    tasks: _containers.RepeatedCompositeFieldContainer[GoalTask]
    def __init__(self, goal: _Optional[_Union[Goal, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[GoalTask, _Mapping]]] = ...) -> None: ...

class Goal(_message.Message):
    __slots__ = ["ai_feedback", "completed_at", "course_id", "created_at", "description", "id", "progress_percentage", "started_at", "status", "target_date", "title", "updated_at", "user_id", "validation_criteria", "version"]
    AI_FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_PERCENTAGE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TARGET_DATE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_CRITERIA_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ai_feedback: str
    completed_at: _timestamp_pb2.Timestamp
    course_id: str
    created_at: _timestamp_pb2.Timestamp
    description: str
    id: str
    progress_percentage: float
    started_at: _timestamp_pb2.Timestamp
    status: _common_pb2.WorkStatus
    target_date: _timestamp_pb2.Timestamp
    title: str
    updated_at: _timestamp_pb2.Timestamp
    user_id: str
    validation_criteria: _containers.RepeatedScalarFieldContainer[str]
    version: int
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ..., course_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., status: _Optional[_Union[_common_pb2.WorkStatus, str]] = ..., progress_percentage: _Optional[float] = ..., validation_criteria: _Optional[_Iterable[str]] = ..., ai_feedback: _Optional[str] = ..., target_date: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., completed_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GoalProposal(_message.Message):
    __slots__ = ["ai_feedback", "citations", "description", "planner", "tasks", "title", "validation_criteria"]
    AI_FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PLANNER_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_CRITERIA_FIELD_NUMBER: _ClassVar[int]
    ai_feedback: str
    citations: _containers.RepeatedCompositeFieldContainer[_common_pb2.Citation]
    description: str
    planner: str
    tasks: _containers.RepeatedCompositeFieldContainer[NewTask]
    title: str
    validation_criteria: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, title: _Optional[str] = ..., description: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[NewTask, _Mapping]]] = ..., validation_criteria: _Optional[_Iterable[str]] = ..., ai_feedback: _Optional[str] = ..., citations: _Optional[_Iterable[_Union[_common_pb2.Citation, _Mapping]]] = ..., planner: _Optional[str] = ...) -> None: ...

class GoalTask(_message.Message):
    __slots__ = ["completed_at", "created_at", "description", "goal_id", "id", "ordinal", "started_at", "status", "title", "updated_at", "user_id", "validation_criteria", "version"]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_CRITERIA_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    completed_at: _timestamp_pb2.Timestamp
    created_at: _timestamp_pb2.Timestamp
    description: str
    goal_id: str
    id: str
    ordinal: int
    started_at: _timestamp_pb2.Timestamp
    status: _common_pb2.WorkStatus
    title: str
    updated_at: _timestamp_pb2.Timestamp
    user_id: str
    validation_criteria: _containers.RepeatedScalarFieldContainer[str]
    version: int
    def __init__(self, id: _Optional[str] = ..., goal_id: _Optional[str] = ..., user_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., status: _Optional[_Union[_common_pb2.WorkStatus, str]] = ..., ordinal: _Optional[int] = ..., validation_criteria: _Optional[_Iterable[str]] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., completed_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListGoalsRequest(_message.Message):
    __slots__ = ["course_id", "created", "min_cursor", "page", "statuses", "title_contains", "user_id"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    TITLE_CONTAINS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    created: _common_pb2.TimeRange
    min_cursor: str
    page: _common_pb2.PageRequest
    statuses: _containers.RepeatedScalarFieldContainer[_common_pb2.WorkStatus]
    title_contains: str
    user_id: str
    def __init__(self, page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., user_id: _Optional[str] = ..., course_id: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[_common_pb2.WorkStatus, str]]] = ..., created: _Optional[_Union[_common_pb2.TimeRange, _Mapping]] = ..., title_contains: _Optional[str] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class ListGoalsResponse(_message.Message):
    __slots__ = ["goals", "page"]
    GOALS_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    goals: _containers.RepeatedCompositeFieldContainer[Goal]
    page: _common_pb2.PageInfo
    def __init__(self, goals: _Optional[_Iterable[_Union[Goal, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

class NewTask(_message.Message):
    __slots__ = ["description", "title", "validation_criteria"]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_CRITERIA_FIELD_NUMBER: _ClassVar[int]
    description: str
    title: str
    validation_criteria: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, title: _Optional[str] = ..., description: _Optional[str] = ..., validation_criteria: _Optional[_Iterable[str]] = ...) -> None: ...

class ReopenGoalRequest(_message.Message):
    __slots__ = ["expected_version", "goal_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    goal_id: str
    def __init__(self, goal_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ReopenGoalResponse(_message.Message):
    __slots__ = ["goal", "receipt"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    goal: Goal
    receipt: _common_pb2.WriteReceipt
    def __init__(self, goal: _Optional[_Union[Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class ResolveProposalRequest(_message.Message):
    __slots__ = ["decision", "edited", "run_id"]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    decision: ProposalDecision
    edited: GoalProposal
    run_id: str
    def __init__(self, run_id: _Optional[str] = ..., decision: _Optional[_Union[ProposalDecision, str]] = ..., edited: _Optional[_Union[GoalProposal, _Mapping]] = ...) -> None: ...

class ResolveProposalResponse(_message.Message):
    __slots__ = ["result"]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: GeneratedGoal
    def __init__(self, result: _Optional[_Union[GeneratedGoal, _Mapping]] = ...) -> None: ...

class StartGoalRequest(_message.Message):
    __slots__ = ["expected_version", "goal_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    goal_id: str
    def __init__(self, goal_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class StartGoalResponse(_message.Message):
    __slots__ = ["goal", "receipt"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    goal: Goal
    receipt: _common_pb2.WriteReceipt
    def __init__(self, goal: _Optional[_Union[Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class UpdateGoalRequest(_message.Message):
    __slots__ = ["expected_version", "goal", "goal_id", "update_mask"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    goal: Goal
    goal_id: str
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, goal_id: _Optional[str] = ..., goal: _Optional[_Union[Goal, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class UpdateGoalResponse(_message.Message):
    __slots__ = ["goal", "receipt"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    goal: Goal
    receipt: _common_pb2.WriteReceipt
    def __init__(self, goal: _Optional[_Union[Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class WatchRunRequest(_message.Message):
    __slots__ = ["cursor", "run_id"]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    run_id: str
    def __init__(self, run_id: _Optional[str] = ..., cursor: _Optional[str] = ...) -> None: ...

class ProposalDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
