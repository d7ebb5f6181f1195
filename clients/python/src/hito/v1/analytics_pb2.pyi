from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hito.v1 import common_pb2 as _common_pb2
from hito.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DayActivity(_message.Message):
    __slots__ = ["date", "events", "goals_completed", "mean_score", "tasks_completed"]
    DATE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    GOALS_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    MEAN_SCORE_FIELD_NUMBER: _ClassVar[int]
    TASKS_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    date: str
    events: int
    goals_completed: int
    mean_score: float
    tasks_completed: int
    def __init__(self, date: _Optional[str] = ..., events: _Optional[int] = ..., tasks_completed: _Optional[int] = ..., goals_completed: _Optional[int] = ..., mean_score: _Optional[float] = ...) -> None: ...

class EventTypeCount(_message.Message):
    __slots__ = ["count", "type"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    count: int
    type: str
    def __init__(self, type: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class GetActivityRequest(_message.Message):
    __slots__ = ["min_cursor", "range", "user_id"]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    min_cursor: str
    range: _common_pb2.TimeRange
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., range: _Optional[_Union[_common_pb2.TimeRange, _Mapping]] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetActivityResponse(_message.Message):
    __slots__ = ["completion_median_us", "completion_p85_us", "days", "heatmap", "longest_streak_days", "streak_days", "velocity"]
    COMPLETION_MEDIAN_US_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_P85_US_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    HEATMAP_FIELD_NUMBER: _ClassVar[int]
    LONGEST_STREAK_DAYS_FIELD_NUMBER: _ClassVar[int]
    STREAK_DAYS_FIELD_NUMBER: _ClassVar[int]
    VELOCITY_FIELD_NUMBER: _ClassVar[int]
    completion_median_us: int
    completion_p85_us: int
    days: _containers.RepeatedCompositeFieldContainer[DayActivity]
    heatmap: _containers.RepeatedScalarFieldContainer[int]
    longest_streak_days: int
    streak_days: int
    velocity: float
    def __init__(self, days: _Optional[_Iterable[_Union[DayActivity, _Mapping]]] = ..., heatmap: _Optional[_Iterable[int]] = ..., streak_days: _Optional[int] = ..., longest_streak_days: _Optional[int] = ..., completion_median_us: _Optional[int] = ..., completion_p85_us: _Optional[int] = ..., velocity: _Optional[float] = ...) -> None: ...

class GetCohortRequest(_message.Message):
    __slots__ = ["course_id", "min_cursor", "page", "range"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    min_cursor: str
    page: _common_pb2.PageRequest
    range: _common_pb2.TimeRange
    def __init__(self, course_id: _Optional[str] = ..., range: _Optional[_Union[_common_pb2.TimeRange, _Mapping]] = ..., page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetCohortResponse(_message.Message):
    __slots__ = ["learners", "page"]
    LEARNERS_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    learners: _containers.RepeatedCompositeFieldContainer[LearnerProgress]
    page: _common_pb2.PageInfo
    def __init__(self, learners: _Optional[_Iterable[_Union[LearnerProgress, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

class GetForecastRequest(_message.Message):
    __slots__ = ["goal_id", "min_cursor"]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    goal_id: str
    min_cursor: str
    def __init__(self, goal_id: _Optional[str] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetForecastResponse(_message.Message):
    __slots__ = ["early", "late", "median"]
    EARLY_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    early: _timestamp_pb2.Timestamp
    late: _timestamp_pb2.Timestamp
    median: _timestamp_pb2.Timestamp
    def __init__(self, median: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., early: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., late: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetProductivityRequest(_message.Message):
    __slots__ = ["as_of", "days", "min_cursor", "user_id"]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    as_of: _timestamp_pb2.Timestamp
    days: int
    min_cursor: str
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., days: _Optional[int] = ..., as_of: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetProductivityResponse(_message.Message):
    __slots__ = ["avg_validation_score", "code_validated", "cursor", "events_by_type", "goals_completed", "goals_created", "most_active_day", "tasks_completed", "total_events", "until", "user_id"]
    AVG_VALIDATION_SCORE_FIELD_NUMBER: _ClassVar[int]
    CODE_VALIDATED_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EVENTS_BY_TYPE_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    GOALS_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    GOALS_CREATED_FIELD_NUMBER: _ClassVar[int]
    MOST_ACTIVE_DAY_FIELD_NUMBER: _ClassVar[int]
    TASKS_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_EVENTS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    avg_validation_score: float
    code_validated: int
    cursor: str
    events_by_type: _containers.RepeatedCompositeFieldContainer[EventTypeCount]
    goals_completed: int
    goals_created: int
    most_active_day: str
    tasks_completed: int
    total_events: int
    until: _timestamp_pb2.Timestamp
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., until: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., total_events: _Optional[int] = ..., goals_created: _Optional[int] = ..., goals_completed: _Optional[int] = ..., tasks_completed: _Optional[int] = ..., code_validated: _Optional[int] = ..., avg_validation_score: _Optional[float] = ..., most_active_day: _Optional[str] = ..., events_by_type: _Optional[_Iterable[_Union[EventTypeCount, _Mapping]]] = ..., cursor: _Optional[str] = ..., **kwargs) -> None: ...

class LearnerProgress(_message.Message):
    __slots__ = ["goals", "goals_completed", "last_active_at", "mean_progress", "user_id"]
    GOALS_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    GOALS_FIELD_NUMBER: _ClassVar[int]
    LAST_ACTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    MEAN_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    goals: int
    goals_completed: int
    last_active_at: _timestamp_pb2.Timestamp
    mean_progress: float
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., goals: _Optional[int] = ..., goals_completed: _Optional[int] = ..., mean_progress: _Optional[float] = ..., last_active_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
