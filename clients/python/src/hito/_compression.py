"""Messages as they go compressed over the wire (W6.9): `u8 encoding | u32 size | data`. Pure."""

from __future__ import annotations

import struct
import zlib
from typing import Optional

DEFLATE = 1

# Below this a message is sent as it is: what is gained is a packet at most.
SIZE_MIN = 4096
# Fast rather than small: a caller waits.
_LEVEL = 1
_HEAD = struct.Struct(">BI")


class Refused(Exception):
    """A compressed message that is not what it says, or more than it may be."""


def pack(message: bytes) -> Optional[bytes]:
    """A message compressed; None where that is not worth it, or the receiver would refuse it."""
    if len(message) < SIZE_MIN:
        return None
    data = zlib.compress(message, _LEVEL)
    if len(data) > len(message) - len(message) // 8 or len(message) > _size_max(len(data)):
        return None
    return _HEAD.pack(DEFLATE, len(message)) + data


def unpack(packed: bytes, size_max: int) -> bytes:
    """What a message is of. No more memory is used than its size says, and that is held to its limits first."""
    if len(packed) <= _HEAD.size:
        raise Refused("a compressed message without data")
    encoding, size = _HEAD.unpack_from(packed)
    data = packed[_HEAD.size :]
    if encoding != DEFLATE or size == 0:
        raise Refused("a compressed message of no known encoding or of no bytes")
    if size > size_max:
        raise Refused(f"a message larger than {size_max} bytes")
    if size > _size_max(len(data)):
        raise Refused("a message that is more than 64 times what it is compressed to")
    expander = zlib.decompressobj()
    try:
        # One byte more would come out where it is more than it says.
        message = expander.decompress(data, size + 1)
    except zlib.error as error:
        raise Refused(f"a compressed message that does not expand: {error}") from error
    if len(message) != size or not expander.eof or expander.unused_data:
        raise Refused("a compressed message that does not expand to its size")
    return message


def _size_max(data_size: int) -> int:
    return 65536 + 64 * data_size
