from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
RULE_FIELD_NUMBER: int
rule: _descriptor.FieldDescriptor

class MethodRule(_message.Message):
    __slots__ = ["callers", "cost", "timeout_seconds", "unimplemented"]
    class Callers(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    class Cost(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    ADMINS: MethodRule.Callers
    ANYBODY: MethodRule.Callers
    BULK: MethodRule.Cost
    CALLERS_FIELD_NUMBER: _ClassVar[int]
    CALLERS_UNSPECIFIED: MethodRule.Callers
    COST_FIELD_NUMBER: _ClassVar[int]
    COST_UNSPECIFIED: MethodRule.Cost
    INSTRUCTORS: MethodRule.Callers
    MEMORY: MethodRule.Cost
    MODEL: MethodRule.Cost
    ROWS: MethodRule.Cost
    SCAN: MethodRule.Cost
    SEARCH: MethodRule.Cost
    SERVICES: MethodRule.Callers
    SUBSCRIPTION: MethodRule.Cost
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNIMPLEMENTED_FIELD_NUMBER: _ClassVar[int]
    USERS: MethodRule.Callers
    callers: MethodRule.Callers
    cost: MethodRule.Cost
    timeout_seconds: int
    unimplemented: bool
    def __init__(self, callers: _Optional[_Union[MethodRule.Callers, str]] = ..., cost: _Optional[_Union[MethodRule.Cost, str]] = ..., timeout_seconds: _Optional[int] = ..., unimplemented: bool = ...) -> None: ...
