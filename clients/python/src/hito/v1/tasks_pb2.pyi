from google.protobuf import field_mask_pb2 as _field_mask_pb2
from hito.v1 import common_pb2 as _common_pb2
from hito.v1 import goals_pb2 as _goals_pb2
from hito.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ArchiveTaskRequest(_message.Message):
    __slots__ = ["expected_version", "task_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    task_id: str
    def __init__(self, task_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ArchiveTaskResponse(_message.Message):
    __slots__ = ["goal", "receipt", "task"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    goal: _goals_pb2.Goal
    receipt: _common_pb2.WriteReceipt
    task: _goals_pb2.GoalTask
    def __init__(self, task: _Optional[_Union[_goals_pb2.GoalTask, _Mapping]] = ..., goal: _Optional[_Union[_goals_pb2.Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class CompleteTaskRequest(_message.Message):
    __slots__ = ["expected_version", "task_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    task_id: str
    def __init__(self, task_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class CompleteTaskResponse(_message.Message):
    __slots__ = ["goal", "receipt", "task"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    goal: _goals_pb2.Goal
    receipt: _common_pb2.WriteReceipt
    task: _goals_pb2.GoalTask
    def __init__(self, task: _Optional[_Union[_goals_pb2.GoalTask, _Mapping]] = ..., goal: _Optional[_Union[_goals_pb2.Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class CreateTaskRequest(_message.Message):
    __slots__ = ["goal_id", "task"]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    goal_id: str
    task: _goals_pb2.NewTask
    def __init__(self, goal_id: _Optional[str] = ..., task: _Optional[_Union[_goals_pb2.NewTask, _Mapping]] = ...) -> None: ...

class CreateTaskResponse(_message.Message):
    __slots__ = ["goal", "receipt", "task"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    goal: _goals_pb2.Goal
    receipt: _common_pb2.WriteReceipt
    task: _goals_pb2.GoalTask
    def __init__(self, task: _Optional[_Union[_goals_pb2.GoalTask, _Mapping]] = ..., goal: _Optional[_Union[_goals_pb2.Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class DeleteTaskRequest(_message.Message):
    __slots__ = ["expected_version", "task_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    task_id: str
    def __init__(self, task_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class DeleteTaskResponse(_message.Message):
    __slots__ = ["goal", "receipt"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    goal: _goals_pb2.Goal
    receipt: _common_pb2.WriteReceipt
    def __init__(self, goal: _Optional[_Union[_goals_pb2.Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class GetTaskRequest(_message.Message):
    __slots__ = ["min_cursor", "task_id"]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    min_cursor: str
    task_id: str
    def __init__(self, task_id: _Optional[str] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetTaskResponse(_message.Message):
    __slots__ = ["task"]
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: _goals_pb2.GoalTask
    def __init__(self, task: _Optional[_Union[_goals_pb2.GoalTask, _Mapping]] = ...) -> None: ...

class ListTasksRequest(_message.Message):
    __slots__ = ["goal_id", "min_cursor", "page", "statuses", "user_id"]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    goal_id: str
    min_cursor: str
    page: _common_pb2.PageRequest
    statuses: _containers.RepeatedScalarFieldContainer[_common_pb2.WorkStatus]
    user_id: str
    def __init__(self, goal_id: _Optional[str] = ..., page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., user_id: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[_common_pb2.WorkStatus, str]]] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class ListTasksResponse(_message.Message):
    __slots__ = ["page", "tasks"]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    page: _common_pb2.PageInfo
    tasks: _containers.RepeatedCompositeFieldContainer[_goals_pb2.GoalTask]
    def __init__(self, tasks: _Optional[_Iterable[_Union[_goals_pb2.GoalTask, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

class ReopenTaskRequest(_message.Message):
    __slots__ = ["expected_version", "task_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    task_id: str
    def __init__(self, task_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ReopenTaskResponse(_message.Message):
    __slots__ = ["goal", "receipt", "task"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    goal: _goals_pb2.Goal
    receipt: _common_pb2.WriteReceipt
    task: _goals_pb2.GoalTask
    def __init__(self, task: _Optional[_Union[_goals_pb2.GoalTask, _Mapping]] = ..., goal: _Optional[_Union[_goals_pb2.Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class ReorderTasksRequest(_message.Message):
    __slots__ = ["expected_version", "goal_id", "task_ids"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    goal_id: str
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, goal_id: _Optional[str] = ..., task_ids: _Optional[_Iterable[str]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ReorderTasksResponse(_message.Message):
    __slots__ = ["receipt", "tasks"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    tasks: _containers.RepeatedCompositeFieldContainer[_goals_pb2.GoalTask]
    def __init__(self, tasks: _Optional[_Iterable[_Union[_goals_pb2.GoalTask, _Mapping]]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class StartTaskRequest(_message.Message):
    __slots__ = ["expected_version", "task_id"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    task_id: str
    def __init__(self, task_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class StartTaskResponse(_message.Message):
    __slots__ = ["goal", "receipt", "task"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    goal: _goals_pb2.Goal
    receipt: _common_pb2.WriteReceipt
    task: _goals_pb2.GoalTask
    def __init__(self, task: _Optional[_Union[_goals_pb2.GoalTask, _Mapping]] = ..., goal: _Optional[_Union[_goals_pb2.Goal, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class UpdateTaskRequest(_message.Message):
    __slots__ = ["expected_version", "task", "task_id", "update_mask"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    task: _goals_pb2.GoalTask
    task_id: str
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, task_id: _Optional[str] = ..., task: _Optional[_Union[_goals_pb2.GoalTask, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class UpdateTaskResponse(_message.Message):
    __slots__ = ["receipt", "task"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    task: _goals_pb2.GoalTask
    def __init__(self, task: _Optional[_Union[_goals_pb2.GoalTask, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...
