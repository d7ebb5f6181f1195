"""As much of protobuf's encoding as the cases need."""

from __future__ import annotations

from typing import Dict, List, Union

Value = Union[int, str, bytes]


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: Value) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def parse(data: bytes) -> Dict[int, List[Union[int, bytes]]]:
    """The fields by number; ValueError where it is not an encoding."""
    fields: Dict[int, List[Union[int, bytes]]] = {}
    at = 0

    def read() -> int:
        nonlocal at
        value = shift = 0
        while True:
            if at >= len(data) or shift > 63:
                raise ValueError("not protobuf")
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = read()
        kind = key & 7
        if kind == 0:
            value: Union[int, bytes] = read()
        else:
            size = {1: 8, 5: 4}.get(kind) or (read() if kind == 2 else -1)
            if size < 0 or at + size > len(data):
                raise ValueError("not protobuf")
            value, at = data[at : at + size], at + size
        fields.setdefault(key >> 3, []).append(value)
    return fields


def text(data: bytes, *path: int) -> str:
    """The text at the end of a path of field numbers; empty where there is none."""
    for place in path:
        values = parse(data).get(place, [b""])
        last = values[-1]
        data = last if isinstance(last, bytes) else b""
    return data.decode()


def integer(data: bytes, number: int) -> int:
    value = parse(data).get(number, [0])[-1]
    return value if isinstance(value, int) else 0
