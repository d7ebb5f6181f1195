from hito.v1 import events_pb2 as _events_pb2
from hito.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
SUBSCRIPTION_MARK_CAUGHT_UP: SubscriptionMark
SUBSCRIPTION_MARK_CHECKPOINT: SubscriptionMark
SUBSCRIPTION_MARK_FELL_BEHIND: SubscriptionMark
SUBSCRIPTION_MARK_UNSPECIFIED: SubscriptionMark

class WatchRequest(_message.Message):
    __slots__ = ["after_cursor", "checkpoint_interval", "filter", "from_beginning", "from_time_us"]
    AFTER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    FROM_BEGINNING_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_US_FIELD_NUMBER: _ClassVar[int]
    after_cursor: str
    checkpoint_interval: int
    filter: _events_pb2.EventFilter
    from_beginning: bool
    from_time_us: int
    def __init__(self, filter: _Optional[_Union[_events_pb2.EventFilter, _Mapping]] = ..., after_cursor: _Optional[str] = ..., from_beginning: bool = ..., from_time_us: _Optional[int] = ..., checkpoint_interval: _Optional[int] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ["cursor", "event", "mark"]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    event: _events_pb2.Event
    mark: SubscriptionMark
    def __init__(self, cursor: _Optional[str] = ..., event: _Optional[_Union[_events_pb2.Event, _Mapping]] = ..., mark: _Optional[_Union[SubscriptionMark, str]] = ...) -> None: ...

class SubscriptionMark(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
