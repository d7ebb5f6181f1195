from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor
ROLE_ADMIN: Role
ROLE_INSTRUCTOR: Role
ROLE_LEARNER: Role
ROLE_SERVICE: Role
ROLE_UNSPECIFIED: Role
WORK_STATUS_ARCHIVED: WorkStatus
WORK_STATUS_COMPLETED: WorkStatus
WORK_STATUS_IN_PROGRESS: WorkStatus
WORK_STATUS_PENDING: WorkStatus
WORK_STATUS_UNSPECIFIED: WorkStatus

class Citation(_message.Message):
    __slots__ = ["anchor", "document_path", "entity_id", "entity_type", "excerpt", "similarity", "title"]
    ANCHOR_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_PATH_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    anchor: str
    document_path: str
    entity_id: str
    entity_type: str
    excerpt: str
    similarity: float
    title: str
    def __init__(self, entity_type: _Optional[str] = ..., entity_id: _Optional[str] = ..., title: _Optional[str] = ..., excerpt: _Optional[str] = ..., anchor: _Optional[str] = ..., similarity: _Optional[float] = ..., document_path: _Optional[str] = ...) -> None: ...

class PageInfo(_message.Message):
    __slots__ = ["next_page_token"]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    next_page_token: str
    def __init__(self, next_page_token: _Optional[str] = ...) -> None: ...

class PageRequest(_message.Message):
    __slots__ = ["page_size", "page_token"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class TimeRange(_message.Message):
    __slots__ = ["end_us", "start_us"]
    END_US_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    end_us: int
    start_us: int
    def __init__(self, start_us: _Optional[int] = ..., end_us: _Optional[int] = ...) -> None: ...

class WriteReceipt(_message.Message):
    __slots__ = ["cursor", "replayed"]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    replayed: bool
    def __init__(self, cursor: _Optional[str] = ..., replayed: bool = ...) -> None: ...

class WorkStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
