"""The rule about consumer groups can fail: doctored stories are found out, good ones pass."""

from __future__ import annotations

import dataclasses
from typing import List

import pytest
from history_groups import GroupStory, Handling, check_group
from history_rules import Broken, Entry
from history_sight_rules import Selection
from test_history_rules import entry


@pytest.fixture
def log() -> List[Entry]:
    return [
        entry(1, "goal.created", "g1", 1, "k1"),
        entry(2, "goal.updated", "g1", 2, "k2"),
        entry(3, "goal.created", "g2", 1),
        entry(4, "goal.updated", "g1", 3, "k3"),
    ]


def story(log: List[Entry], is_pinned: bool = True) -> GroupStory:
    handlings = [
        Handling("a", e.id, e.entity, e.version, 1, n, n + 0.5, n + 0.6, True)
        for n, e in enumerate(log)
    ]
    # The first time of the second one, its consumer died.
    handlings.append(dataclasses.replace(handlings[1], begun=0.7, ended=0.9, settled=None, is_sent=False))
    return GroupStory("g", Selection(), is_pinned, handlings)


def change(made: GroupStory, number: int, **fields: object) -> GroupStory:
    made.handlings[number] = dataclasses.replace(made.handlings[number], **fields)  # type: ignore[arg-type]
    return made


def again(made: GroupStory, number: int, **fields: object) -> GroupStory:
    made.handlings.append(dataclasses.replace(made.handlings[number], **fields))  # type: ignore[arg-type]
    return made


def test_a_good_story_passes(log):
    check_group(log, story(log))
    # One whose answer was lost comes again.
    lost = change(story(log), 3, settled=None)
    check_group(log, again(lost, 3, begun=9.0, ended=9.1, settled=9.2, consumer="b"))
    # Without pins nothing is in order.
    check_group(log, change(story(log, is_pinned=False), 3, begun=0.1, ended=0.2, settled=0.3))


@pytest.mark.parametrize(
    ("what", "made"),
    [
        ("nobody was done with", lambda log: change(story(log), 2, is_sent=False, settled=None)),
        ("is not one that it wants", lambda log: change(story(log), 2, event_id="e9")),
        ("was settled twice",
         lambda log: again(story(log), 2, begun=2.05, ended=2.1, settled=2.2)),
        ("came after it was settled",
         lambda log: again(story(log), 2, begun=9.0, ended=9.1, settled=None)),
        ("at once", lambda log: change(story(log), 3, begun=1.2, ended=1.4, consumer="b")),
        ("came after 3", lambda log: change(story(log), 3, begun=0.1, ended=0.2, settled=0.3)),
    ],
)  # fmt: skip
def test_a_bad_story_is_found_out(log, what, made):
    with pytest.raises(Broken, match=what):
        check_group(log, made(log))
