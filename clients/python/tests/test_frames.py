"""Reports as data frames, with pandas itself."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from hito import frames, v1


def moment(*parts):
    timestamp = Timestamp()
    timestamp.FromDatetime(datetime(*parts, tzinfo=timezone.utc))
    return timestamp


def types(frame):
    return {name: str(kind) for name, kind in frame.dtypes.items()}


def test_productivity():
    report = v1.GetProductivityResponse(
        user_id="u", until=moment(2026, 3, 31), total_events=2**53 + 1, goals_created=1, tasks_completed=3,
        avg_validation_score=0.5, most_active_day="Tuesday", cursor="c",
        events_by_type=[v1.EventTypeCount(type="task.completed", count=3), v1.EventTypeCount(type="x", count=1)],
        **{"from": moment(2026, 3, 1, 23, 30, 0, 123456)},
    )  # fmt: skip
    summary, by_type = frames.productivity(report, time_zone="Europe/Madrid")
    assert types(summary) == {
        "user_id": "string", "from": "datetime64[us, Europe/Madrid]", "until": "datetime64[us, Europe/Madrid]",
        "total_events": "int64", "goals_created": "int64", "goals_completed": "int64", "tasks_completed": "int64",
        "code_validated": "int64", "avg_validation_score": "Float64", "most_active_day": "category",
        "cursor": "string",
    }  # fmt: skip
    row = summary.iloc[0]
    assert row["from"] == pd.Timestamp("2026-03-02T00:30:00.123456+01:00")
    assert row["until"].utcoffset() == timedelta(hours=2), "summer has come"
    assert row["total_events"] == 2**53 + 1
    assert row["most_active_day"] == "Tuesday" and summary["most_active_day"].cat.ordered
    assert types(by_type) == {"type": "string", "count": "int64"}
    assert by_type["count"].tolist() == [3, 1]


def test_productivity_of_nobody():
    summary, by_type = frames.productivity(v1.GetProductivityResponse())
    row = summary.iloc[0]
    assert row["from"] is pd.NaT and row["avg_validation_score"] is pd.NA and pd.isna(row["most_active_day"])
    assert str(summary["from"].dtype) == "datetime64[us, UTC]"
    assert len(by_type) == 0 and types(by_type) == {"type": "string", "count": "int64"}


def test_a_score_of_zero_is_a_score():
    summary, _ = frames.productivity(v1.GetProductivityResponse(avg_validation_score=0.0))
    assert summary["avg_validation_score"][0] == 0.0


def activity_report():
    return v1.GetActivityResponse(
        days=[v1.DayActivity(date="2026-03-28", events=4, tasks_completed=2, mean_score=0.0),
              v1.DayActivity(date="2026-03-30", events=1, goals_completed=1)],
        heatmap=range(168), streak_days=2, longest_streak_days=9, completion_median_us=90_000_000, velocity=1.5,
    )  # fmt: skip


def test_activity():
    days, heatmap, summary = frames.activity(activity_report(), time_zone=ZoneInfo("Europe/Madrid"))
    assert str(days.index.dtype) == "datetime64[us, Europe/Madrid]" and days.index.name == "date"
    assert [stamp.isoformat() for stamp in days.index] == ["2026-03-28T00:00:00+01:00", "2026-03-30T00:00:00+02:00"]
    assert types(days) == {
        "events": "int64", "tasks_completed": "int64", "goals_completed": "int64", "mean_score": "Float64",
    }  # fmt: skip
    assert days["mean_score"].iloc[0] == 0.0 and days["mean_score"].iloc[1] is pd.NA
    assert days["events"].resample("D").sum().tolist() == [4, 0, 1], "over the change of clocks"
    assert heatmap.shape == (7, 24) and heatmap.loc["Sunday", 23] == 167 and heatmap.loc["Monday", 0] == 0
    assert types(summary)["completion_median"] == "timedelta64[us]"
    assert summary["completion_median"][0] == timedelta(seconds=90) and summary["completion_p85"][0] is pd.NaT


def test_activity_without_a_zone_or_days():
    days, heatmap, _ = frames.activity(activity_report())
    assert str(days.index.dtype) == "datetime64[us]"
    days, heatmap, _ = frames.activity(v1.GetActivityResponse(), time_zone="UTC")
    assert len(days) == 0 and str(days.index.dtype) == "datetime64[us, UTC]" and heatmap.to_numpy().sum() == 0


def test_days_on_which_clocks_change_at_midnight():
    report = v1.GetActivityResponse(days=[v1.DayActivity(date="2026-09-06", events=1)])
    days, _, _ = frames.activity(report, time_zone="America/Santiago")
    assert days.index[0].isoformat() == "2026-09-06T01:00:00-03:00"
    report = v1.GetActivityResponse(days=[v1.DayActivity(date="2026-11-01", events=1)])
    days, _, _ = frames.activity(report, time_zone="America/Havana")
    assert days.index[0].isoformat() == "2026-11-01T00:00:00-04:00"


@pytest.mark.parametrize("report", [
    v1.GetActivityResponse(heatmap=[1, 2]), v1.GetActivityResponse(days=[v1.DayActivity(date="<b>")]),
])  # fmt: skip
def test_nonsense_is_refused(report):
    with pytest.raises(ValueError):
        frames.activity(report)


def test_a_cohort_of_several_pages():
    pages = [
        v1.GetCohortResponse(learners=[v1.LearnerProgress(
            user_id="a", goals=2, goals_completed=1, mean_progress=50, last_active_at=moment(2026, 1, 2))]),
        v1.GetCohortResponse(learners=[v1.LearnerProgress(user_id="b")]),
    ]  # fmt: skip
    frame = frames.cohort(pages)
    assert types(frame) == {
        "user_id": "string", "goals": "int64", "goals_completed": "int64", "mean_progress": "Float64",
        "last_active_at": "datetime64[us, UTC]",
    }  # fmt: skip
    assert frame["last_active_at"].tolist()[0] == pd.Timestamp("2026-01-02", tz="UTC")
    assert frame["last_active_at"].isna().tolist() == [False, True]
    assert len(frames.cohort(pages[1])) == 1 and types(frames.cohort([])) == types(frame)


def test_a_forecast_over_all_of_time():
    report = v1.GetForecastResponse(median=moment(9999, 12, 31), early=moment(1, 1, 1))
    frame = frames.forecast(report)
    assert set(types(frame).values()) == {"datetime64[us, UTC]"}
    assert frame["early"][0].year == 1 and frame["median"][0].year == 9999 and frame["late"][0] is pd.NaT
