from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hito.v1 import common_pb2 as _common_pb2
from hito.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

COURSE_STATUS_ACTIVE: CourseStatus
COURSE_STATUS_ARCHIVED: CourseStatus
COURSE_STATUS_UNSPECIFIED: CourseStatus
DESCRIPTOR: _descriptor.FileDescriptor
DOCUMENT_FORMAT_HTML: DocumentFormat
DOCUMENT_FORMAT_MARKDOWN: DocumentFormat
DOCUMENT_FORMAT_PLAIN: DocumentFormat
DOCUMENT_FORMAT_UNSPECIFIED: DocumentFormat
ENROLMENT_STATE_ACTIVE: EnrolmentState
ENROLMENT_STATE_DECLINED: EnrolmentState
ENROLMENT_STATE_INVITED: EnrolmentState
ENROLMENT_STATE_LEFT: EnrolmentState
ENROLMENT_STATE_UNSPECIFIED: EnrolmentState
ENROLMENT_STATE_WITHDRAWN: EnrolmentState

class AcceptEnrolmentRequest(_message.Message):
    __slots__ = ["course_id"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    def __init__(self, course_id: _Optional[str] = ...) -> None: ...

class AcceptEnrolmentResponse(_message.Message):
    __slots__ = ["enrolment", "receipt"]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    enrolment: Enrolment
    receipt: _common_pb2.WriteReceipt
    def __init__(self, enrolment: _Optional[_Union[Enrolment, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class AdviceResult(_message.Message):
    __slots__ = ["abstained", "citations", "text"]
    ABSTAINED_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    abstained: bool
    citations: _containers.RepeatedCompositeFieldContainer[_common_pb2.Citation]
    text: str
    def __init__(self, text: _Optional[str] = ..., citations: _Optional[_Iterable[_Union[_common_pb2.Citation, _Mapping]]] = ..., abstained: bool = ...) -> None: ...

class AdviseRequest(_message.Message):
    __slots__ = ["course_id", "goal_id", "question"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    goal_id: str
    question: str
    def __init__(self, course_id: _Optional[str] = ..., question: _Optional[str] = ..., goal_id: _Optional[str] = ...) -> None: ...

class AdviseResponse(_message.Message):
    __slots__ = ["context", "node_started", "result", "run_id", "token"]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    NODE_STARTED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    context: AgentContext
    node_started: AgentNodeStarted
    result: AdviceResult
    run_id: str
    token: AgentToken
    def __init__(self, run_id: _Optional[str] = ..., node_started: _Optional[_Union[AgentNodeStarted, _Mapping]] = ..., context: _Optional[_Union[AgentContext, _Mapping]] = ..., token: _Optional[_Union[AgentToken, _Mapping]] = ..., result: _Optional[_Union[AdviceResult, _Mapping]] = ...) -> None: ...

class AgentContext(_message.Message):
    __slots__ = ["citations"]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    citations: _containers.RepeatedCompositeFieldContainer[_common_pb2.Citation]
    def __init__(self, citations: _Optional[_Iterable[_Union[_common_pb2.Citation, _Mapping]]] = ...) -> None: ...

class AgentNodeStarted(_message.Message):
    __slots__ = ["attempt", "node"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    node: str
    def __init__(self, node: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class AgentToken(_message.Message):
    __slots__ = ["text"]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class ArchiveCourseRequest(_message.Message):
    __slots__ = ["course_id", "expected_version"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    expected_version: int
    def __init__(self, course_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ArchiveCourseResponse(_message.Message):
    __slots__ = ["course", "receipt"]
    COURSE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    course: Course
    receipt: _common_pb2.WriteReceipt
    def __init__(self, course: _Optional[_Union[Course, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class Course(_message.Message):
    __slots__ = ["created_at", "description", "id", "language", "metadata", "status", "technologies", "title", "updated_at", "user_id", "version"]
    class MetadataEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TECHNOLOGIES_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    created_at: _timestamp_pb2.Timestamp
    description: str
    id: str
    language: str
    metadata: _containers.ScalarMap[str, str]
    status: CourseStatus
    technologies: _containers.RepeatedScalarFieldContainer[str]
    title: str
    updated_at: _timestamp_pb2.Timestamp
    user_id: str
    version: int
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., language: _Optional[str] = ..., technologies: _Optional[_Iterable[str]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., status: _Optional[_Union[CourseStatus, str]] = ..., version: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CourseDocument(_message.Message):
    __slots__ = ["content", "format", "language", "path", "title"]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    format: DocumentFormat
    language: str
    path: str
    title: str
    def __init__(self, path: _Optional[str] = ..., format: _Optional[_Union[DocumentFormat, str]] = ..., content: _Optional[bytes] = ..., title: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class CreateCourseRequest(_message.Message):
    __slots__ = ["description", "language", "metadata", "technologies", "title", "user_id"]
    class MetadataEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TECHNOLOGIES_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    description: str
    language: str
    metadata: _containers.ScalarMap[str, str]
    technologies: _containers.RepeatedScalarFieldContainer[str]
    title: str
    user_id: str
    def __init__(self, title: _Optional[str] = ..., description: _Optional[str] = ..., language: _Optional[str] = ..., technologies: _Optional[_Iterable[str]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., user_id: _Optional[str] = ...) -> None: ...

class CreateCourseResponse(_message.Message):
    __slots__ = ["course", "receipt"]
    COURSE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    course: Course
    receipt: _common_pb2.WriteReceipt
    def __init__(self, course: _Optional[_Union[Course, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class DeclineEnrolmentRequest(_message.Message):
    __slots__ = ["course_id"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    def __init__(self, course_id: _Optional[str] = ...) -> None: ...

class DeclineEnrolmentResponse(_message.Message):
    __slots__ = ["enrolment", "receipt"]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    enrolment: Enrolment
    receipt: _common_pb2.WriteReceipt
    def __init__(self, enrolment: _Optional[_Union[Enrolment, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class DeleteCourseRequest(_message.Message):
    __slots__ = ["course_id", "expected_version"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    expected_version: int
    def __init__(self, course_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class DeleteCourseResponse(_message.Message):
    __slots__ = ["receipt"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    def __init__(self, receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class DeleteDocumentRequest(_message.Message):
    __slots__ = ["course_id", "path"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    path: str
    def __init__(self, course_id: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class DeleteDocumentResponse(_message.Message):
    __slots__ = ["receipt"]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: _common_pb2.WriteReceipt
    def __init__(self, receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class DocumentInfo(_message.Message):
    __slots__ = ["content_hash", "embedded_section_count", "path", "section_count", "title", "updated_at", "version"]
    CONTENT_HASH_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_SECTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SECTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    content_hash: bytes
    embedded_section_count: int
    path: str
    section_count: int
    title: str
    updated_at: _timestamp_pb2.Timestamp
    version: int
    def __init__(self, path: _Optional[str] = ..., title: _Optional[str] = ..., version: _Optional[int] = ..., section_count: _Optional[int] = ..., embedded_section_count: _Optional[int] = ..., content_hash: _Optional[bytes] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class EnrolRequest(_message.Message):
    __slots__ = ["course_id", "user_id"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    user_id: str
    def __init__(self, course_id: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class EnrolResponse(_message.Message):
    __slots__ = ["enrolment", "receipt"]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    enrolment: Enrolment
    receipt: _common_pb2.WriteReceipt
    def __init__(self, enrolment: _Optional[_Union[Enrolment, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class Enrolment(_message.Message):
    __slots__ = ["active", "changed_by", "course_id", "created_at", "direct", "id", "state", "updated_at", "user_id", "version"]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DIRECT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    active: bool
    changed_by: str
    course_id: str
    created_at: _timestamp_pb2.Timestamp
    direct: bool
    id: str
    state: EnrolmentState
    updated_at: _timestamp_pb2.Timestamp
    user_id: str
    version: int
    def __init__(self, id: _Optional[str] = ..., course_id: _Optional[str] = ..., user_id: _Optional[str] = ..., active: bool = ..., version: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[EnrolmentState, str]] = ..., changed_by: _Optional[str] = ..., direct: bool = ...) -> None: ...

class GetCourseRequest(_message.Message):
    __slots__ = ["course_id", "min_cursor"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    min_cursor: str
    def __init__(self, course_id: _Optional[str] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class GetCourseResponse(_message.Message):
    __slots__ = ["course", "enrolment"]
    COURSE_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    course: Course
    enrolment: Enrolment
    def __init__(self, course: _Optional[_Union[Course, _Mapping]] = ..., enrolment: _Optional[_Union[Enrolment, _Mapping]] = ...) -> None: ...

class IngestDocumentsRequest(_message.Message):
    __slots__ = ["document", "start"]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    document: CourseDocument
    start: IngestStart
    def __init__(self, start: _Optional[_Union[IngestStart, _Mapping]] = ..., document: _Optional[_Union[CourseDocument, _Mapping]] = ...) -> None: ...

class IngestDocumentsResponse(_message.Message):
    __slots__ = ["documents_changed", "documents_received", "documents_removed", "receipt", "refused", "sections_changed"]
    DOCUMENTS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    documents_changed: int
    documents_received: int
    documents_removed: int
    receipt: _common_pb2.WriteReceipt
    refused: _containers.RepeatedCompositeFieldContainer[RefusedDocument]
    sections_changed: int
    def __init__(self, documents_received: _Optional[int] = ..., documents_changed: _Optional[int] = ..., documents_removed: _Optional[int] = ..., sections_changed: _Optional[int] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ..., refused: _Optional[_Iterable[_Union[RefusedDocument, _Mapping]]] = ...) -> None: ...

class IngestStart(_message.Message):
    __slots__ = ["course_id", "kept_paths", "replace_all", "reread", "skip_refused"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    KEPT_PATHS_FIELD_NUMBER: _ClassVar[int]
    REPLACE_ALL_FIELD_NUMBER: _ClassVar[int]
    REREAD_FIELD_NUMBER: _ClassVar[int]
    SKIP_REFUSED_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    kept_paths: _containers.RepeatedScalarFieldContainer[str]
    replace_all: bool
    reread: bool
    skip_refused: bool
    def __init__(self, course_id: _Optional[str] = ..., replace_all: bool = ..., skip_refused: bool = ..., kept_paths: _Optional[_Iterable[str]] = ..., reread: bool = ...) -> None: ...

class LeaveRequest(_message.Message):
    __slots__ = ["course_id", "user_id"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    user_id: str
    def __init__(self, course_id: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class LeaveResponse(_message.Message):
    __slots__ = ["enrolment", "receipt"]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    enrolment: Enrolment
    receipt: _common_pb2.WriteReceipt
    def __init__(self, enrolment: _Optional[_Union[Enrolment, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class ListCoursesRequest(_message.Message):
    __slots__ = ["enrolled_only", "min_cursor", "page", "statuses", "technology", "user_id"]
    ENROLLED_ONLY_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    TECHNOLOGY_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    enrolled_only: bool
    min_cursor: str
    page: _common_pb2.PageRequest
    statuses: _containers.RepeatedScalarFieldContainer[CourseStatus]
    technology: str
    user_id: str
    def __init__(self, page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., enrolled_only: bool = ..., user_id: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[CourseStatus, str]]] = ..., technology: _Optional[str] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class ListCoursesResponse(_message.Message):
    __slots__ = ["courses", "page"]
    COURSES_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    courses: _containers.RepeatedCompositeFieldContainer[Course]
    page: _common_pb2.PageInfo
    def __init__(self, courses: _Optional[_Iterable[_Union[Course, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

class ListDocumentsRequest(_message.Message):
    __slots__ = ["course_id", "min_cursor", "page"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    min_cursor: str
    page: _common_pb2.PageRequest
    def __init__(self, course_id: _Optional[str] = ..., page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class ListDocumentsResponse(_message.Message):
    __slots__ = ["documents", "page"]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[DocumentInfo]
    page: _common_pb2.PageInfo
    def __init__(self, documents: _Optional[_Iterable[_Union[DocumentInfo, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

class ListEnrolmentsRequest(_message.Message):
    __slots__ = ["course_id", "min_cursor", "page", "states"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    min_cursor: str
    page: _common_pb2.PageRequest
    states: _containers.RepeatedScalarFieldContainer[EnrolmentState]
    def __init__(self, course_id: _Optional[str] = ..., page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., min_cursor: _Optional[str] = ..., states: _Optional[_Iterable[_Union[EnrolmentState, str]]] = ...) -> None: ...

class ListEnrolmentsResponse(_message.Message):
    __slots__ = ["enrolments", "page"]
    ENROLMENTS_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    enrolments: _containers.RepeatedCompositeFieldContainer[Enrolment]
    page: _common_pb2.PageInfo
    def __init__(self, enrolments: _Optional[_Iterable[_Union[Enrolment, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

class ListLearnerEnrolmentsRequest(_message.Message):
    __slots__ = ["min_cursor", "page", "states", "user_id"]
    MIN_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    min_cursor: str
    page: _common_pb2.PageRequest
    states: _containers.RepeatedScalarFieldContainer[EnrolmentState]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ..., states: _Optional[_Iterable[_Union[EnrolmentState, str]]] = ..., page: _Optional[_Union[_common_pb2.PageRequest, _Mapping]] = ..., min_cursor: _Optional[str] = ...) -> None: ...

class ListLearnerEnrolmentsResponse(_message.Message):
    __slots__ = ["enrolments", "page"]
    ENROLMENTS_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    enrolments: _containers.RepeatedCompositeFieldContainer[Enrolment]
    page: _common_pb2.PageInfo
    def __init__(self, enrolments: _Optional[_Iterable[_Union[Enrolment, _Mapping]]] = ..., page: _Optional[_Union[_common_pb2.PageInfo, _Mapping]] = ...) -> None: ...

class RefusedDocument(_message.Message):
    __slots__ = ["path", "reason"]
    PATH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    path: str
    reason: str
    def __init__(self, path: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ReopenCourseRequest(_message.Message):
    __slots__ = ["course_id", "expected_version"]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    course_id: str
    expected_version: int
    def __init__(self, course_id: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ReopenCourseResponse(_message.Message):
    __slots__ = ["course", "receipt"]
    COURSE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    course: Course
    receipt: _common_pb2.WriteReceipt
    def __init__(self, course: _Optional[_Union[Course, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class UpdateCourseRequest(_message.Message):
    __slots__ = ["course", "course_id", "expected_version", "update_mask"]
    COURSE_FIELD_NUMBER: _ClassVar[int]
    COURSE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    course: Course
    course_id: str
    expected_version: int
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, course_id: _Optional[str] = ..., course: _Optional[_Union[Course, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class UpdateCourseResponse(_message.Message):
    __slots__ = ["course", "receipt"]
    COURSE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    course: Course
    receipt: _common_pb2.WriteReceipt
    def __init__(self, course: _Optional[_Union[Course, _Mapping]] = ..., receipt: _Optional[_Union[_common_pb2.WriteReceipt, _Mapping]] = ...) -> None: ...

class CourseStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class EnrolmentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DocumentFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
