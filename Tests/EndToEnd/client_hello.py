"""TLS ClientHellos as odd as a scan wants, and the first thing that a server answers.

No secrets are needed for that: a hello without a key share makes a TLS 1.3 server name the version,
the suite and the group that it chose (HelloRetryRequest, RFC 8446, section 4.1.4), or refuse.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Dict, NamedTuple, Optional, Sequence, Union

TLS_1_2, TLS_1_3 = 0x0303, 0x0304

SERVER_NAME, GROUPS, SIGNATURES, ALPN, VERSIONS, KEY_SHARE = 0, 10, 13, 16, 43, 51
RENEGOTIATION_SCSV = 0x00FF

SUITES_1_3 = {
    "TLS_AES_128_GCM_SHA256": 0x1301,
    "TLS_AES_256_GCM_SHA384": 0x1302,
    "TLS_CHACHA20_POLY1305_SHA256": 0x1303,
    "TLS_AES_128_CCM_SHA256": 0x1304,
    "TLS_AES_128_CCM_8_SHA256": 0x1305,
}
# ECDHE with AES-GCM, ChaCha20 and AES-CBC, then plain RSA: something for every older server.
SUITES_OLD = (0xC02B, 0xC02F, 0xC02C, 0xCCA9, 0xC009, 0xC013, 0x009C, 0x002F, 0x000A)
ALL_GROUPS = {
    "X25519": 0x001D,
    "secp256r1": 0x0017,
    "secp384r1": 0x0018,
    "secp521r1": 0x0019,
    "X448": 0x001E,
    "ffdhe2048": 0x0100,
    "ffdhe3072": 0x0101,
    "X25519MLKEM768": 0x11EC,
    "SecP256r1MLKEM768": 0x11EB,
    "SecP384r1MLKEM1024": 0x11ED,
}
_SIGNATURE_SCHEMES = (0x0403, 0x0503, 0x0804, 0x0805, 0x0806, 0x0401, 0x0807)
_ALERTS = {
    10: "unexpected_message", 40: "handshake_failure", 47: "illegal_parameter",
    50: "decode_error", 70: "protocol_version", 80: "internal_error", 109: "missing_extension",
    120: "no_application_protocol",
}  # fmt: skip
_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class Refused(NamedTuple):
    """The server's alert; "closed" where it hung up without one."""

    reason: str


class Chosen(NamedTuple):
    """A ServerHello or HelloRetryRequest."""

    version: int
    suite: int
    group: Optional[int]
    extensions: Sequence[int]


Answer = Union[Refused, Chosen]


def ask(
    address: str,
    *,
    legacy_version: int = TLS_1_2,
    versions: Sequence[int] = (TLS_1_3,),
    suites: Sequence[int] = tuple(SUITES_1_3.values()),
    groups: Sequence[int] = tuple(ALL_GROUPS.values()),
    alpn: Sequence[str] = ("hito/1",),
    compression: bytes = b"\0",
) -> Answer:
    """Sends one hello; without `versions` it is one of TLS 1.2 or older."""
    extensions = {
        GROUPS: _vector16(b"".join(struct.pack(">H", group) for group in groups)),
        SIGNATURES: _vector16(b"".join(struct.pack(">H", one) for one in _SIGNATURE_SCHEMES)),
    }
    if alpn:
        extensions[ALPN] = _vector16(b"".join(_vector8(name.encode()) for name in alpn))
    if versions:
        extensions[VERSIONS] = _vector8(b"".join(struct.pack(">H", one) for one in versions))
        extensions[KEY_SHARE] = _vector16(b"")
    body = (
        struct.pack(">H", legacy_version)
        + os.urandom(32)
        + _vector8(os.urandom(32))
        + _vector16(b"".join(struct.pack(">H", one) for one in (*suites, RENEGOTIATION_SCSV)))
        + _vector8(compression)
        + _vector16(
            b"".join(struct.pack(">H", kind) + _vector16(data) for kind, data in extensions.items())
        )
    )
    handshake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    record = struct.pack(">BHH", 22, min(legacy_version, 0x0301), len(handshake)) + handshake
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(record)
        return _answer(connection)


def _answer(connection: socket.socket) -> Answer:
    try:
        kind, _, length = struct.unpack(">BHH", _read(connection, 5))
        payload = _read(connection, length)
    except (EOFError, ConnectionError):
        return Refused("closed")
    if kind == 21:
        return Refused(_ALERTS.get(payload[1], f"alert {payload[1]}"))
    assert kind == 22 and payload[0] == 2, f"neither alert nor hello: {kind} {payload[:8].hex()}"
    return _hello(payload[4:])


def _hello(body: bytes) -> Chosen:
    version, is_retry = struct.unpack_from(">H", body)[0], body[2:34] == _RETRY_RANDOM
    offset = 35 + body[34]
    suite, compression = struct.unpack_from(">HB", body, offset)
    assert compression == 0, "the server chose to compress"
    offset += 3
    extensions: Dict[int, bytes] = {}
    if offset < len(body):
        end = offset + 2 + struct.unpack_from(">H", body, offset)[0]
        offset += 2
        while offset < end:
            kind, length = struct.unpack_from(">HH", body, offset)
            extensions[kind] = body[offset + 4 : offset + 4 + length]
            offset += 4 + length
    if VERSIONS in extensions:
        version = struct.unpack(">H", extensions[VERSIONS])[0]
    share = extensions.get(KEY_SHARE)
    group = struct.unpack_from(">H", share)[0] if share and is_retry else None
    return Chosen(version, suite, group, tuple(sorted(extensions)))


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _vector8(data: bytes) -> bytes:
    return struct.pack(">B", len(data)) + data


def _vector16(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data
