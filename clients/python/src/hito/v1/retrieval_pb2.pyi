from hito.v1 import common_pb2 as _common_pb2
from hito.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
SEARCH_MODE_HYBRID: SearchMode
SEARCH_MODE_TEXT: SearchMode
SEARCH_MODE_UNSPECIFIED: SearchMode
SEARCH_MODE_VECTOR: SearchMode

class EmbeddingFailure(_message.Message):
    __slots__ = ["attempts", "entity_id", "entity_type", "error", "next_attempt_us"]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    NEXT_ATTEMPT_US_FIELD_NUMBER: _ClassVar[int]
    attempts: int
    entity_id: str
    entity_type: str
    error: str
    next_attempt_us: int
    def __init__(self, entity_type: _Optional[str] = ..., entity_id: _Optional[str] = ..., error: _Optional[str] = ..., attempts: _Optional[int] = ..., next_attempt_us: _Optional[int] = ...) -> None: ...

class GetEmbeddingStatusRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetEmbeddingStatusResponse(_message.Message):
    __slots__ = ["dimensions", "failures", "lag_events", "live_recall", "live_recall_samples", "model", "next_model", "next_model_progress", "pending", "stored"]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LAG_EVENTS_FIELD_NUMBER: _ClassVar[int]
    LIVE_RECALL_FIELD_NUMBER: _ClassVar[int]
    LIVE_RECALL_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NEXT_MODEL_FIELD_NUMBER: _ClassVar[int]
    NEXT_MODEL_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    dimensions: int
    failures: _containers.RepeatedCompositeFieldContainer[EmbeddingFailure]
    lag_events: int
    live_recall: float
    live_recall_samples: int
    model: str
    next_model: str
    next_model_progress: float
    pending: int
    stored: int
    def __init__(self, model: _Optional[str] = ..., dimensions: _Optional[int] = ..., stored: _Optional[int] = ..., pending: _Optional[int] = ..., failures: _Optional[_Iterable[_Union[EmbeddingFailure, _Mapping]]] = ..., lag_events: _Optional[int] = ..., next_model: _Optional[str] = ..., next_model_progress: _Optional[float] = ..., live_recall: _Optional[float] = ..., live_recall_samples: _Optional[int] = ...) -> None: ...

class SearchCourseDocumentsRequest(_message.Message):
    __slots__ = ["course_id", "limit", "min_cursor", "query"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    limit: int
    min_cursor: str
    query: str
    def __init__(self, query: _Optional[str] = ..., course_id: _Optional[str] = ..., limit: _Optional[int] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class SearchHit(_message.Message):
    __slots__ = ["attributes", "citation", "score", "text_rank", "vector_rank"]
    class AttributesEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CITATION_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    TEXT_RANK_FIELD_NUMBER: _ClassVar[int]
    VECTOR_RANK_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.ScalarMap[str, str]
    citation: _common_pb2.Citation
    score: float
    text_rank: int
    vector_rank: int
    def __init__(self, citation: _Optional[_Union[_common_pb2.Citation, _Mapping]] = ..., score: _Optional[float] = ..., vector_rank: _Optional[int] = ..., text_rank: _Optional[int] = ..., attributes: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ["course_id", "entity_types", "language", "limit", "min_cursor", "min_similarity", "mode", "query", "rerank"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RERANK_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    entity_types: _containers.RepeatedScalarFieldContainer[str]
    language: str
    limit: int
    min_cursor: str
    min_similarity: float
    mode: SearchMode
    query: str
    rerank: bool
    def __init__(self, query: _Optional[str] = ..., entity_types: _Optional[_Iterable[str]] = ..., course_id: _Optional[str] = ..., language: _Optional[str] = ..., limit: _Optional[int] = ..., mode: _Optional[_Union[SearchMode, str]] = ..., rerank: bool = ..., min_similarity: _Optional[float] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ["abstained", "hits", "method", "model", "truncated"]
    ABSTAINED_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    abstained: bool
    hits: _containers.RepeatedCompositeFieldContainer[SearchHit]
    method: str
    model: str
    truncated: bool
    def __init__(self, hits: _Optional[_Iterable[_Union[SearchHit, _Mapping]]] = ..., method: _Optional[str] = ..., truncated: bool = ..., abstained: bool = ..., model: _Optional[str] = ...) -> None: ...

class SearchSimilarGoalsRequest(_message.Message):
    __slots__ = ["limit", "min_cursor", "query", "user_id"]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    limit: int
    min_cursor: str
    query: str
    user_id: str
    def __init__(self, query: _Optional[str] = ..., user_id: _Optional[str] = ..., limit: _Optional[int] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class SearchValidatedCodeRequest(_message.Message):
    __slots__ = ["language", "limit", "min_cursor", "query"]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    language: str
    limit: int
    min_cursor: str
    query: str
    def __init__(self, query: _Optional[str] = ..., language: _Optional[str] = ..., limit: _Optional[int] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class SearchMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
