from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hito.v1 import common_pb2 as _common_pb2
from hito.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
GROUP_STATE_BEHIND: GroupState
GROUP_STATE_CAUGHT_UP: GroupState
GROUP_STATE_EVENTS_ARCHIVED: GroupState
GROUP_STATE_OUTSTANDING_FULL: GroupState
GROUP_STATE_PARKED_FULL: GroupState
GROUP_STATE_UNSPECIFIED: GroupState
GROUP_STRATEGY_PINNED: GroupStrategy
GROUP_STRATEGY_ROUND_ROBIN: GroupStrategy
GROUP_STRATEGY_UNSPECIFIED: GroupStrategy
SETTLE_ACTION_ACK: SettleAction
SETTLE_ACTION_EXTEND: SettleAction
SETTLE_ACTION_PARK: SettleAction
SETTLE_ACTION_RETRY: SettleAction
SETTLE_ACTION_SKIP: SettleAction
SETTLE_ACTION_UNSPECIFIED: SettleAction

class ConsumeRequest(_message.Message):
    __slots__ = ["join", "settle"]
    JOIN_FIELD_NUMBER: _ClassVar[int]
    SETTLE_FIELD_NUMBER: _ClassVar[int]
    join: JoinGroup
    settle: Settle
    def __init__(self, join: _Optional[_Union[JoinGroup, _Mapping]] = ..., settle: _Optional[_Union[Settle, _Mapping]] = ...) -> None: ...

class ConsumeResponse(_message.Message):
    __slots__ = ["attempt", "event", "joined", "settle_by", "settled"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    SETTLE_BY_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    event: Event
    joined: JoinedGroup
    settle_by: _timestamp_pb2.Timestamp
    settled: Settled
    def __init__(self, event: _Optional[_Union[Event, _Mapping]] = ..., attempt: _Optional[int] = ..., settle_by: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., settled: _Optional[_Union[Settled, _Mapping]] = ..., joined: _Optional[_Union[JoinedGroup, _Mapping]] = ...) -> None: ...

class ConsumerGroup(_message.Message):
    __slots__ = ["ack_timeout_us", "consumer_count", "created_at", "filter", "held_count", "lag", "max_attempts", "name", "outstanding_max", "parked_count", "parked_max", "retry_delay_max_us", "retry_delay_us", "settled_cursor", "state", "strategy", "version", "waiting_count"]
    ACK_TIMEOUT_US_FIELD_NUMBER: _ClassVar[int]
    CONSUMER_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    HELD_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTSTANDING_MAX_FIELD_NUMBER: _ClassVar[int]
    PARKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PARKED_MAX_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_MAX_US_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_US_FIELD_NUMBER: _ClassVar[int]
    SETTLED_CURSOR_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    ack_timeout_us: int
    consumer_count: int
    created_at: _timestamp_pb2.Timestamp
    filter: EventFilter
    held_count: int
    lag: int
    max_attempts: int
    name: str
    outstanding_max: int
    parked_count: int
    parked_max: int
    retry_delay_max_us: int
    retry_delay_us: int
    settled_cursor: str
    state: GroupState
    strategy: GroupStrategy
    version: int
    waiting_count: int
    def __init__(self, name: _Optional[str] = ..., filter: _Optional[_Union[EventFilter, _Mapping]] = ..., strategy: _Optional[_Union[GroupStrategy, str]] = ..., max_attempts: _Optional[int] = ..., ack_timeout_us: _Optional[int] = ..., settled_cursor: _Optional[str] = ..., parked_count: _Optional[int] = ..., consumer_count: _Optional[int] = ..., retry_delay_us: _Optional[int] = ..., retry_delay_max_us: _Optional[int] = ..., outstanding_max: _Optional[int] = ..., parked_max: _Optional[int] = ..., state: _Optional[_Union[GroupState, str]] = ..., waiting_count: _Optional[int] = ..., held_count: _Optional[int] = ..., lag: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class CreateConsumerGroupRequest(_message.Message):
    __slots__ = ["after_cursor", "from_now", "from_time_us", "group"]
    AFTER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    FROM_NOW_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_US_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    after_cursor: str
    from_now: bool
    from_time_us: int
    group: ConsumerGroup
    def __init__(self, group: _Optional[_Union[ConsumerGroup, _Mapping]] = ..., after_cursor: _Optional[str] = ..., from_time_us: _Optional[int] = ..., from_now: bool = ...) -> None: ...

class CreateConsumerGroupResponse(_message.Message):
    __slots__ = ["group", "receipt"]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    group: ConsumerGroup
    receipt: _common_pb2.WriteReceipt
    def __init__(self, group: _Optional[_Union[ConsumerGroup, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class DeleteConsumerGroupRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteConsumerGroupResponse(_message.Message):
    __slots__ = ["receipt"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    def __init__(self, receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ["created_at", "cursor", "entity_id", "entity_type", "id", "metadata_json", "payload_json", "schema_version", "type", "user_id", "version"]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_JSON_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    created_at: _timestamp_pb2.Timestamp
    cursor: str
    entity_id: str
    entity_type: str
    id: str
    metadata_json: str
    payload_json: str
    schema_version: int
    type: str
    user_id: str
    version: int
    def __init__(self, id: _Optional[str] = ..., type: _Optional[str] = ..., entity_type: _Optional[str] = ..., entity_id: _Optional[str] = ..., version: _Optional[int] = ..., user_id: _Optional[str] = ..., payload_json: _Optional[str] = ..., metadata_json: _Optional[str] = ..., schema_version: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., cursor: _Optional[str] = ...) -> None: ...

class EventFilter(_message.Message):
    __slots__ = ["course_ids", "goal_ids", "task_ids", "types", "user_ids"]
    COURSE_IDS_FIELD_NUMBER: _ClassVar[int]
    GOAL_IDS_FIELD_NUMBER: _ClassVar[int]
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    course_ids: _containers.RepeatedScalarFieldContainer[str]
    goal_ids: _containers.RepeatedScalarFieldContainer[str]
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    types: _containers.RepeatedScalarFieldContainer[str]
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_ids: _Optional[_Iterable[str]] = ..., goal_ids: _Optional[_Iterable[str]] = ..., task_ids: _Optional[_Iterable[str]] = ..., course_ids: _Optional[_Iterable[str]] = ..., types: _Optional[_Iterable[str]] = ...) -> None: ...

class ExternalEvent(_message.Message):
    __slots__ = ["created_at", "external_id", "payload_json", "source", "subject", "type", "user_id"]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_JSON_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    created_at: _timestamp_pb2.Timestamp
    external_id: str
    payload_json: str
    source: str
    subject: str
    type: str
    user_id: str
    def __init__(self, type: _Optional[str] = ..., user_id: _Optional[str] = ..., payload_json: _Optional[str] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., external_id: _Optional[str] = ..., source: _Optional[str] = ..., subject: _Optional[str] = ...) -> None: ...

class GetConsumerGroupRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetConsumerGroupResponse(_message.Message):
    __slots__ = ["consumers", "group"]
    CONSUMERS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    consumers: _containers.RepeatedCompositeFieldContainer[GroupConsumer]
    group: ConsumerGroup
    def __init__(self, group: _Optional[_Union[ConsumerGroup, _Mapping]] = ..., consumers: _Optional[_Iterable[_Union[GroupConsumer, _Mapping]]] = ...) -> None: ...

class GroupConsumer(_message.Message):
    __slots__ = ["connected_at", "held_count", "name", "server_id"]
    CONNECTED_AT_FIELD_NUMBER: _ClassVar[int]
    HELD_COUNT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    connected_at: _timestamp_pb2.Timestamp
    held_count: int
    name: str
    server_id: str
    def __init__(self, name: _Optional[str] = ..., server_id: _Optional[str] = ..., connected_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., held_count: _Optional[int] = ...) -> None: ...

class JoinGroup(_message.Message):
    __slots__ = ["buffer_size", "consumer", "group", "instance"]
    BUFFER_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONSUMER_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    buffer_size: int
    consumer: str
    group: str
    instance: str
    def __init__(self, group: _Optional[str] = ..., buffer_size: _Optional[int] = ..., consumer: _Optional[str] = ..., instance: _Optional[str] = ...) -> None: ...

class JoinedGroup(_message.Message):
    __slots__ = ["ack_timeout_us", "consumer"]
    ACK_TIMEOUT_US_FIELD_NUMBER: _ClassVar[int]
    CONSUMER_FIELD_NUMBER: _ClassVar[int]
    ack_timeout_us: int
    consumer: str
    def __init__(self, consumer: _Optional[str] = ..., ack_timeout_us: _Optional[int] = ...) -> None: ...

class ListConsumerGroupsRequest(_message.Message):
    __slots__ = ["after_name", "page_size"]
    AFTER_NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    after_name: str
    page_size: int
    def __init__(self, page_size: _Optional[int] = ..., after_name: _Optional[str] = ...) -> None: ...

class ListConsumerGroupsResponse(_message.Message):
    __slots__ = ["groups", "next_name"]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_NAME_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[ConsumerGroup]
    next_name: str
    def __init__(self, groups: _Optional[_Iterable[_Union[ConsumerGroup, _Mapping]]] = ..., next_name: _Optional[str] = ...) -> None: ...

class ListParkedEventsRequest(_message.Message):
    __slots__ = ["after_cursor", "group", "page_size"]
    AFTER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    after_cursor: str
    group: str
    page_size: int
    def __init__(self, group: _Optional[str] = ..., page_size: _Optional[int] = ..., after_cursor: _Optional[str] = ...) -> None: ...

class ListParkedEventsResponse(_message.Message):
    __slots__ = ["events", "next_cursor"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ParkedEvent]
    next_cursor: str
    def __init__(self, events: _Optional[_Iterable[_Union[ParkedEvent, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class ParkedEvent(_message.Message):
    __slots__ = ["attempts", "cursor", "event_id", "parked_at", "reason"]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    PARKED_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    attempts: int
    cursor: str
    event_id: str
    parked_at: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, event_id: _Optional[str] = ..., cursor: _Optional[str] = ..., attempts: _Optional[int] = ..., reason: _Optional[str] = ..., parked_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PublishEventsRequest(_message.Message):
    __slots__ = ["events"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ExternalEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[ExternalEvent, _Mapping]]] = ...) -> None: ...

class PublishEventsResponse(_message.Message):
    __slots__ = ["event_ids", "receipt", "stored"]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    receipt: _common_pb2.WriteReceipt
    stored: int
    def __init__(self, stored: _Optional[int] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ..., event_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ReadEventsRequest(_message.Message):
    __slots__ = ["after_cursor", "filter", "min_cursor", "page_size"]
    AFTER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    after_cursor: str
    filter: EventFilter
    min_cursor: str
    page_size: int
    def __init__(self, filter: _Optional[_Union[EventFilter, _Mapping]] = ..., after_cursor: _Optional[str] = ..., page_size: _Optional[int] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class ReadEventsResponse(_message.Message):
    __slots__ = ["at_end", "events", "next_cursor"]
    AT_END_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    at_end: bool
    events: _containers.RepeatedCompositeFieldContainer[Event]
    next_cursor: str
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., at_end: bool = ...) -> None: ...

class ReplayParkedRequest(_message.Message):
    __slots__ = ["event_ids", "group"]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    group: str
    def __init__(self, group: _Optional[str] = ..., event_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ReplayParkedResponse(_message.Message):
    __slots__ = ["receipt", "replayed"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    replayed: int
    def __init__(self, replayed: _Optional[int] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class Settle(_message.Message):
    __slots__ = ["action", "event_ids", "reason", "retry_after_us"]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_US_FIELD_NUMBER: _ClassVar[int]
    action: SettleAction
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    retry_after_us: int
    def __init__(self, event_ids: _Optional[_Iterable[str]] = ..., action: _Optional[_Union[SettleAction, str]] = ..., reason: _Optional[str] = ..., retry_after_us: _Optional[int] = ...) -> None: ...

class Settled(_message.Message):
    __slots__ = ["event_ids", "not_held"]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    NOT_HELD_FIELD_NUMBER: _ClassVar[int]
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    not_held: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event_ids: _Optional[_Iterable[str]] = ..., not_held: _Optional[_Iterable[str]] = ...) -> None: ...

class SkipParkedRequest(_message.Message):
    __slots__ = ["event_ids", "group"]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    group: str
    def __init__(self, group: _Optional[str] = ..., event_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SkipParkedResponse(_message.Message):
    __slots__ = ["receipt", "skipped"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    skipped: int
    def __init__(self, skipped: _Optional[int] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class UpdateConsumerGroupRequest(_message.Message):
    __slots__ = ["expected_version", "group"]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    expected_version: int
    group: ConsumerGroup
    def __init__(self, group: _Optional[_Union[ConsumerGroup, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class UpdateConsumerGroupResponse(_message.Message):
    __slots__ = ["group", "receipt"]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    group: ConsumerGroup
    receipt: _common_pb2.WriteReceipt
    def __init__(self, group: _Optional[_Union[ConsumerGroup, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class GroupStrategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class GroupState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class SettleAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
