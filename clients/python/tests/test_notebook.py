"""Messages as tables in notebooks, in IPython's own formatter."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timezone
from html.parser import HTMLParser

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.struct_pb2 import Struct
from IPython.core.formatters import DisplayFormatter

from hito import notebook, v1
from server_thread import serving


class Tags(HTMLParser):
    """What a browser makes of a page: its tags, balanced, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text = set(), [], ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        assert dict(attributes) in ({}, {"style": "text-align:left"})
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def goal(**fields):
    return v1.Goal(title="Aprender", status="WORK_STATUS_PENDING", **fields)


def test_registering_shows_messages_and_removing_ends_it():
    display = DisplayFormatter()
    formatter = display.formatters["text/html"]
    registration = notebook.register(formatter)
    page = display.format(goal(progress_percentage=50))[0]["text/html"]
    assert "Aprender" in page and "WORK_STATUS_PENDING" in page and "50.0" in page
    assert "text/html" not in display.format(Struct())[0], "other people's messages are left alone"
    assert not hasattr(v1.Goal, "_repr_html_")
    registration.remove()
    registration.remove()
    assert "text/html" not in display.format(goal())[0]


def test_without_a_notebook_it_says_so():
    with pytest.raises(RuntimeError, match="no notebook"):
        notebook.register()


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</td></table><h1>x", "&lt;b&gt;",
        "'; background:url(//x)", "\x00\x1b[31m\x9b", "a\u202eb\u2066c", "<!--", "<![CDATA[", "]]>",
    ],  # fmt: skip
)
def test_hostile_text_is_text(hostile):
    for page in (
        notebook.html(goal(description=hostile, validation_criteria=[hostile])),
        notebook.table([goal(description=hostile)]),
    ):
        found = Tags(page)
        assert found.tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "ol", "li", "em", "br"}
        for character in "\x00\x1b\x9b\u202e\u2066":
            assert character not in page
        if hostile.isprintable():
            assert hostile in found.text


def test_what_is_large_is_cut():
    page = notebook.html(goal(description="x" * 100_000, validation_criteria=["y"] * 500))
    assert len(page) < 10_000 and "(100000 characters)" in page and "and 450 more" in page
    many = v1.ListGoalsResponse(goals=[goal(validation_criteria=["y" * 3000] * 50) for _ in range(500)])
    assert len(notebook.html(many)) < 5_000_000
    assert "and 450 more" in notebook.table(many.goals)
    assert "none" in notebook.table([])


def test_moments_bytes_and_unknown_values_are_readable():
    moment = Timestamp()
    moment.FromDatetime(datetime(2026, 3, 1, 12, tzinfo=timezone.utc))
    page = notebook.html(v1.Goal(created_at=moment, status=99))
    assert "2026-03-01T12:00:00+00:00" in page and ">99<" in page
    assert "253402300800 s" in notebook.html(v1.Goal(created_at=Timestamp(seconds=253402300800)))
    assert "4 bytes: 00010203" in notebook.html(v1.CourseDocument(content=bytes(range(4))))
    assert "empty" in notebook.html(v1.Goal())


CELLS = '''\
import asyncio, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.user_ns["address"], shell.user_ns["ca_file"] = sys.argv[1:]


async def notebook():
    for cell in (
        "import hito.notebook, hito.sync; from hito import v1; hito.notebook.register()",
        "client = hito.sync.Client.connect(address, ca_file=ca_file)",
        "reply = client.goals.create_goal(v1.CreateGoalRequest(title='<b>'))",
        "client.close()",
        "reply.goal",
    ):
        result = await shell.run_cell_async(cell, transformed_cell=cell)
        result.raise_error()
    data, _ = shell.display_formatter.format(result.result)
    print("HTML:", data["text/html"])


asyncio.run(notebook())
'''


def test_cells_of_a_notebook_make_blocking_calls_and_show_tables(tls, certificates, tmp_path):
    """As the kernel of Jupyter runs them: in a loop that runs already."""

    async def script(peer):
        await peer.greet()
        stream, _, message = await peer.call()
        title = v1.CreateGoalRequest.FromString(message).title
        peer.reply(stream, v1.CreateGoalResponse(goal=v1.Goal(title=title)).SerializeToString())
        await peer.at_end()

    with serving(tls, script) as server:
        done = subprocess.run(
            [sys.executable, "-c", CELLS, server.address, certificates.ca_file],
            capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "IPYTHONDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HTML: <table>" in done.stdout and "&lt;b&gt;" in done.stdout
