"""Messages as tables in notebooks.

    hito.notebook.register()        # in a cell, once

From then on a cell that ends with a message of `hito.v1` shows it as a table. Nothing is patched: the
display of this IPython learns the classes of `hito.v1`, and no others. What messages hold is text to show, whoever
wrote it: it never becomes markup, and what is large is cut.
"""

from __future__ import annotations

import html as _html
from collections.abc import MutableSequence
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Protocol, Sequence, Tuple, Type

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from hito import v1

_TEXT_MAX = 2_000
_ITEMS_MAX = 50
_CELLS_MAX = 2_000
_DEPTH_MAX = 6
# They would change the order of what stands around them.
_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C], "\ufffd")
_CONTROLS = {**dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\ufffd"), 0x09: "\t", 0x0A: "\n"}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class _Formatter(Protocol):
    """What IPython has for a kind of output."""

    def for_type(self, typ: Type[Any], func: Optional[Callable[[Any], Any]] = None) -> object: ...

    def pop(self, typ: Type[Any], default: Any = None) -> object: ...


class Registration:
    """What `register` did; `remove` takes it back."""

    def __init__(self, formatter: _Formatter, classes: Sequence[Type[Message]]) -> None:
        self._formatter = formatter
        self._classes = classes

    def remove(self) -> None:
        for cls in self._classes:
            self._formatter.pop(cls, None)
        self._classes = ()


def register(formatter: Optional[_Formatter] = None) -> Registration:
    """Shows messages of `hito.v1` as tables in this IPython.

    `formatter`: that for HTML, where it is not the running IPython's.
    """
    classes = list(_classes())
    if formatter is None:
        formatter = _running()
    for cls in classes:
        formatter.for_type(cls, html)
    return Registration(formatter, classes)


def html(message: Message) -> str:
    """A message as a table of its fields."""
    return _Page().message(message, 0)


def table(messages: Iterable[Message]) -> str:
    """Messages of one kind as a table with a row for each; for `IPython.display.HTML`."""
    return _Page().rows(list(messages))


def _running() -> _Formatter:
    try:
        from IPython import get_ipython
    except ImportError as error:
        raise ImportError('hito.notebook needs IPython: pip install "hito-client[notebook]"') from error
    shell = get_ipython()
    if shell is None:
        raise RuntimeError("this is no notebook: no IPython is running")
    formatter: _Formatter = shell.display_formatter.formatters["text/html"]
    return formatter


def _classes() -> Iterator[Type[Message]]:
    for name in v1.__all__:
        cls = getattr(v1, name)
        if isinstance(cls, type) and issubclass(cls, Message):
            yield from _with_nested(cls)


def _with_nested(cls: Type[Message]) -> Iterator[Type[Message]]:
    yield cls
    for nested in cls.DESCRIPTOR.nested_types:
        inner = getattr(cls, nested.name, None)
        if isinstance(inner, type) and not nested.GetOptions().map_entry:
            yield from _with_nested(inner)


class _Page:
    """What is written for one display: it has an end."""

    def __init__(self) -> None:
        self._left = _CELLS_MAX

    def message(self, message: Message, depth: int) -> str:
        special = _moment(message)
        if special is not None:
            return _text(special)
        if depth >= _DEPTH_MAX:
            return "…"
        rows = [
            f"<tr><th style='text-align:left'>{_text(field.name)}</th>"
            f"<td style='text-align:left'>{self._value(field, value, depth)}</td></tr>"
            for field, value in self._fields(message)
        ]
        name = _text(message.DESCRIPTOR.name)
        if not rows:
            return f"<em>{name}, empty</em>"
        return f"<table><caption>{name}</caption><tbody>{''.join(rows)}</tbody></table>"

    def rows(self, messages: List[Message]) -> str:
        shown = messages[:_ITEMS_MAX]
        if not shown:
            return "<em>none</em>"
        fields: Dict[str, None] = {}
        for message in shown:
            fields.update(dict.fromkeys(field.name for field, _ in message.ListFields()))
        head = "".join(f"<th>{_text(name)}</th>" for name in fields)
        body = ""
        for message in shown:
            cells = {field.name: self._value(field, value, 1) for field, value in self._fields(message)}
            columns = "".join(f"<td>{cells.get(name, '')}</td>" for name in fields)
            body += f"<tr>{columns}</tr>"
        more = _more(len(messages) - len(shown))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"

    def _fields(self, message: Message) -> Iterator[Tuple[FieldDescriptor, Any]]:
        for field, value in message.ListFields():
            if self._left <= 0:
                return
            self._left -= 1
            yield field, value

    def _value(self, field: FieldDescriptor, value: Any, depth: int) -> str:
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            value_field = kind.fields_by_name["value"]
            return self._list(
                [f"{_text(str(key))}: {self._one(value_field, value[key], depth)}"
                 for key in list(value)[: self._room()]], len(value),
            )  # fmt: skip
        if isinstance(value, MutableSequence):
            shown = [self._one(field, item, depth) for item in value[: self._room()]]
            return self._list(shown, len(value))
        return self._one(field, value, depth)

    def _room(self) -> int:
        return max(0, min(_ITEMS_MAX, self._left))

    def _list(self, shown: List[str], count: int) -> str:
        self._left -= len(shown)
        items = "".join(f"<li>{item}</li>" for item in shown)
        return f"<ol>{items}</ol>{_more(count - len(shown))}"

    def _one(self, field: FieldDescriptor, value: Any, depth: int) -> str:
        if isinstance(value, Message):
            return self.message(value, depth + 1)
        if field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            return _text(known.name if known is not None else str(value))
        if isinstance(value, bytes):
            return _text(f"{len(value)} bytes: {value[:32].hex()}{'…' if len(value) > 32 else ''}")
        return _text(str(value))


def _text(text: str) -> str:
    """Text that shows itself, in a page whose parts it cannot reach."""
    cut = text if len(text) <= _TEXT_MAX else text[:_TEXT_MAX] + f"… ({len(text)} characters)"
    return _html.escape(cut.translate(_CONTROLS).translate(_BIDI)).replace("\n", "<br>")


def _more(count: int) -> str:
    return f"<em>and {count} more</em>" if count > 0 else ""


def _moment(message: Message) -> Optional[str]:
    """Moments and durations as people write them."""
    name = message.DESCRIPTOR.full_name
    if name not in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        return None
    seconds, nanos = getattr(message, "seconds"), getattr(message, "nanos")
    try:
        length = timedelta(seconds=seconds, microseconds=nanos // 1000)
        return (_EPOCH + length).isoformat() if name.endswith("Timestamp") else str(length)
    except OverflowError:
        return f"{seconds} s {nanos} ns"
