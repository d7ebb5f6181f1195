"""docs/protocol-walkthrough.md, sent to a server as it stands."""

from __future__ import annotations

import re
import struct
from typing import List, NamedTuple

import raw_peer
from hito_server import REPOSITORY
from raw_peer import RawPeer

PAGE = REPOSITORY / "docs" / "protocol-walkthrough.md"


class Part(NamedTuple):
    """What one side sends, until the other one does."""

    sender: str
    text: str
    """Hexadecimal digits, and `..` for any byte."""


def parts() -> List[Part]:
    found: List[Part] = []
    for block in re.findall(r"^```hex\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            sender, _, rest = line.partition(" ")
            text = re.sub(r"\s", "", re.match(r"(?:(?:[0-9a-f]{2})+|\.\.)(?: (?:(?:[0-9a-f]{2})+\b|\.\.))*", rest)[0])
            if found and found[-1].sender == sender:
                found[-1] = Part(sender, found[-1].text + text)
            else:
                found.append(Part(sender, text))
    return found


def test_a_server_answers_as_the_walk_says(server):
    walk = parts()
    assert [part.sender for part in walk[:2]] == ["C", "S"] and len(walk) > 9
    with RawPeer(server, greet=False) as peer:
        for part in walk:
            if part.sender == "C":
                peer.raw(bytes.fromhex(part.text))
                continue
            shown = ""
            while len(shown) < len(part.text):
                shown += raw_peer.frame_bytes(*peer.frame()).hex()
            assert re.fullmatch(part.text, shown), (part.text, shown)
        assert peer.goaway() == -1, "the server closes without a word about it"


def test_the_lengths_of_the_walk_are_right():
    """Of what the client sends: its frames end where its parts end."""
    for part in parts():
        if part.sender == "C":
            data, at = bytes.fromhex(part.text), 0
            while at < len(data):
                at += 10 + struct.unpack_from(">I", data, at)[0]
            assert at == len(data)
