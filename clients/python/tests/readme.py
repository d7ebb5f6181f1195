"""The code of README.md as a module that can be checked and run."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path
from typing import Dict, List, NamedTuple

CLIENT = Path(__file__).resolve().parents[1]

# What the examples take for granted.
PRELUDE = '''\
from __future__ import annotations

import dataclasses
import logging
import secrets
import uuid
from typing import Awaitable, Callable, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask

import hito
from hito import v1

T = TypeVar("T")


class Busy(Exception):
    pass


async def send_mail(event: v1.Event) -> None:
    pass
'''
GIVEN = {
    "client": "hito.Client", "admin": "hito.Client", "address": "str", "ca_file": "str", "token": "str",
    "user_id": "str",
}  # fmt: skip


class Example(NamedTuple):
    name: str
    """Of its function."""
    code: str
    takes: List[str]
    expected: List[str]
    """What it prints, of the comments behind `print`."""


def examples() -> List[Example]:
    found: List[Example] = []
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", (CLIENT / "README.md").read_text(), re.M | re.S)):
        tree = ast.parse(f"async def example():\n{textwrap.indent(code, '    ')}")
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        used = {node.id for node in names}
        takes = [name for name in GIVEN if name in used - bound]
        comments = re.findall(r"print\(.*\) {2,}# (.+)$", code, re.M)
        found.append(Example(f"example_{number}", code, takes, [text.rstrip(" …") for text in comments]))
    return found


def module() -> str:
    parts = [PRELUDE]
    for example in examples():
        arguments = ", ".join(f"{name}: {GIVEN[name]}" for name in example.takes)
        code = textwrap.indent(example.code, "    ")
        parts.append(f"async def {example.name}({arguments}) -> None:\n{code}")
    return "\n\n".join(parts)


def functions() -> Dict[str, object]:
    namespace: Dict[str, object] = {"__name__": "readme_examples"}
    exec(compile(module(), "README.md", "exec"), namespace)
    return namespace
