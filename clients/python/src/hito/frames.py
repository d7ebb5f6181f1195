"""Reports as data frames of pandas: `pip install "hito-client[frames]"`.

    report = client.analytics.get_productivity(hito.v1.GetProductivityRequest(days=30))
    frames = hito.frames.productivity(report, time_zone="Europe/Madrid")
    frames.events_by_type.plot.bar(x="type", y="count")

Moments are columns of `datetime64[us, <zone>]`, in UTC unless another zone is asked for; numbers that may be missing
have pandas' own nullable types; texts are `string`.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Iterable, List, NamedTuple, Optional, Sequence, Union

from google.protobuf.timestamp_pb2 import Timestamp

from hito.v1 import analytics_pb2

try:
    import numpy as np
    import pandas as pd
except ImportError as error:
    raise ImportError('hito.frames needs pandas: pip install "hito-client[frames]"') from error

TimeZone = Union[str, tzinfo]

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_HOURS = 24


class Productivity(NamedTuple):
    """A learner's productivity."""

    summary: pd.DataFrame
    """One row: `user_id`, `from`, `until`, the counts, `avg_validation_score`, `most_active_day`, `cursor`."""
    events_by_type: pd.DataFrame
    """`type`, `count`; most frequent first."""


class Activity(NamedTuple):
    """A learner's activity."""

    days: pd.DataFrame
    """By day: `events`, `tasks_completed`, `goals_completed`, `mean_score`. Days without events are not
    there; `days.resample("D").sum()` makes them."""
    heatmap: pd.DataFrame
    """Events by weekday (rows, Monday first) and hour (columns, 0 to 23), in the learner's time zone."""
    summary: pd.DataFrame
    """One row: the streaks in days, the times to complete a task, `velocity` in tasks a week."""


def productivity(
    report: analytics_pb2.GetProductivityResponse, *, time_zone: TimeZone = "UTC"
) -> Productivity:
    """Of `client.analytics.get_productivity`."""
    has_score = report.WhichOneof("avg_validation_score_presence") is not None
    counts = ("total_events", "goals_created", "goals_completed", "tasks_completed", "code_validated")
    summary = pd.DataFrame({
        "user_id": _texts([report.user_id]),
        # The name is a word of the language.
        "from": _moments([_set(report, "from")], time_zone),
        "until": _moments([_set(report, "until")], time_zone),
        **{name: _counts([getattr(report, name)]) for name in counts},
        "avg_validation_score": _numbers([report.avg_validation_score if has_score else None]),
        "most_active_day": _weekdays([report.most_active_day]),
        "cursor": _texts([report.cursor]),
    })  # fmt: skip
    by_type = pd.DataFrame({
        "type": _texts([row.type for row in report.events_by_type]),
        "count": _counts([row.count for row in report.events_by_type]),
    })  # fmt: skip
    return Productivity(summary, by_type)


def activity(
    report: analytics_pb2.GetActivityResponse, *, time_zone: Optional[TimeZone] = None
) -> Activity:
    """Of `client.analytics.get_activity`.

    `time_zone`: the learner's, in which the report has its days; with it they begin at midnight there,
    without it they have no zone.
    """
    scores = [
        day.mean_score if day.WhichOneof("mean_score_presence") is not None else None
        for day in report.days
    ]
    days = pd.DataFrame(
        {
            "events": _counts([day.events for day in report.days]),
            "tasks_completed": _counts([day.tasks_completed for day in report.days]),
            "goals_completed": _counts([day.goals_completed for day in report.days]),
            "mean_score": _numbers(scores),
        },
    )
    days.index = _days([day.date for day in report.days], time_zone)
    summary = pd.DataFrame({
        "streak_days": _counts([report.streak_days]),
        "longest_streak_days": _counts([report.longest_streak_days]),
        "completion_median": _durations([report.completion_median_us]),
        "completion_p85": _durations([report.completion_p85_us]),
        "velocity": _numbers([report.velocity]),
    })  # fmt: skip
    return Activity(days, _heatmap(report.heatmap), summary)


def cohort(
    pages: Union[
        analytics_pb2.GetCohortResponse, Iterable[analytics_pb2.GetCohortResponse]
    ],
    *,
    time_zone: TimeZone = "UTC",
) -> pd.DataFrame:
    """Of `client.analytics.get_cohort`: one page, or all: `user_id`, `goals`, `goals_completed`,
    `mean_progress`, `last_active_at`."""
    if isinstance(pages, analytics_pb2.GetCohortResponse):
        pages = [pages]
    rows = [learner for page in pages for learner in page.learners]
    return pd.DataFrame({
        "user_id": _texts([row.user_id for row in rows]),
        "goals": _counts([row.goals for row in rows]),
        "goals_completed": _counts([row.goals_completed for row in rows]),
        "mean_progress": _numbers([row.mean_progress for row in rows]),
        "last_active_at": _moments([_set(row, "last_active_at") for row in rows], time_zone),
    })  # fmt: skip


def forecast(
    report: analytics_pb2.GetForecastResponse, *, time_zone: TimeZone = "UTC"
) -> pd.DataFrame:
    """Of `client.analytics.get_forecast`: one row with `early`, `median` and `late`; not a time where
    there is too little to say."""
    names = ("early", "median", "late")
    return pd.DataFrame({name: _moments([_set(report, name)], time_zone) for name in names})


_Report = Union[
    analytics_pb2.GetProductivityResponse,
    analytics_pb2.GetForecastResponse,
    analytics_pb2.LearnerProgress,
]


def _set(message: _Report, name: str) -> Optional[Timestamp]:
    if not message.HasField(name):
        return None
    moment: Timestamp = getattr(message, name)
    return moment


def _moments(moments: Sequence[Optional[Timestamp]], time_zone: TimeZone) -> pd.Series:
    missing = np.datetime64("NaT", "us")
    values = [
        missing if m is None else np.datetime64(m.seconds * 1_000_000 + m.nanos // 1000, "us")
        for m in moments
    ]
    index = pd.DatetimeIndex(np.array(values, dtype="datetime64[us]"))
    return pd.Series(index.tz_localize("UTC").tz_convert(time_zone))


def _days(dates: Sequence[str], time_zone: Optional[TimeZone]) -> pd.DatetimeIndex:
    days = pd.DatetimeIndex(np.array(dates, dtype="datetime64[us]"), name="date")
    if time_zone is None:
        return days
    # Where clocks change at midnight: the first of two, the moment after one that is not there.
    return days.tz_localize(
        time_zone, ambiguous=np.ones(len(days), dtype=bool), nonexistent="shift_forward"
    )


def _durations(micros: Sequence[int]) -> pd.Series:
    """0 says that there is none."""
    missing = np.timedelta64("NaT", "us")
    values = [missing if value == 0 else np.timedelta64(value, "us") for value in micros]
    return pd.Series(np.array(values, dtype="timedelta64[us]"))


def _heatmap(counts: Sequence[int]) -> pd.DataFrame:
    cells = list(counts) or [0] * (len(WEEKDAYS) * _HOURS)
    if len(cells) != len(WEEKDAYS) * _HOURS:
        raise ValueError(f"the heatmap has {len(cells)} cells, not {len(WEEKDAYS) * _HOURS}")
    rows = np.array(cells, dtype="int64").reshape(len(WEEKDAYS), _HOURS)
    frame = pd.DataFrame(rows, columns=pd.RangeIndex(_HOURS, name="hour"))
    frame.index = pd.CategoricalIndex(WEEKDAYS, categories=WEEKDAYS, ordered=True, name="weekday")
    return frame


def _weekdays(names: Sequence[str]) -> pd.Series:
    """Empty says that there is none."""
    values: List[Optional[str]] = [name or None for name in names]
    return pd.Series(pd.Categorical(values, categories=WEEKDAYS, ordered=True))


def _texts(texts: Sequence[str]) -> pd.Series:
    return pd.Series(texts, dtype="string")


def _counts(numbers: Sequence[int]) -> pd.Series:
    return pd.Series(numbers, dtype="int64")


def _numbers(numbers: Sequence[Optional[float]]) -> pd.Series:
    return pd.Series(numbers, dtype="Float64")
