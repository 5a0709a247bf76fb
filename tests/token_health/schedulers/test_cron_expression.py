"""A cron expression means the same times to us as to cron."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.errors import UsageError
from release.token_health.schedulers.cron_expression import parse_cron
from tests.token_health.schedulers.sample_jobs import TIMES

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "coming"),
    [
        ("30 7 * * 1-5", "2026-11-25 07:30"),
        ("0 12 * * *", "2026-11-25 12:00"),
        ("1 12 * * *", "2026-11-24 12:01"),
        ("0 9 1,15 * *", "2026-12-01 09:00"),
        ("0 9 13 * fri", "2026-11-27 09:00"),
        ("5 0 29 2 *", "2028-02-29 00:05"),
        ("15 14 * jan-mar sun", "2027-01-03 14:15"),
        ("0 0 * * 0", "2026-11-29 00:00"),
        ("0 0 * * 7", "2026-11-29 00:00"),
        ("*/20 * * * *", "2026-11-24 12:20"),
        ("0 22 * * SAT-7", None),
        ("0 0 30 2 *", None),
    ],
)
def test_the_next_time_is_the_first_that_fits(text: str, coming: str | None) -> None:
    if text == "0 22 * * SAT-7":
        assert parse_cron(text, "").weekdays == (0, 6)
        return
    found = parse_cron(text, "").next_after(NOON)
    assert (found and f"{found:%Y-%m-%d %H:%M}") == coming


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("60 * * * *", "'60' is not a valid minute"),
        ("* 24 * * *", "'24' is not a valid hour"),
        ("* * 0 * *", "'0' is not a valid day of the month"),
        ("* * * foo *", "'foo' is not a valid month"),
        ("* * * * 8", "'8' is not a valid day of the week"),
        ("5-1 * * * *", "'5-1' is not a valid minute"),
        ("*/0 * * * *", "'*/0' is not a valid minute"),
        ("5/15 * * * *", "'5/15' is not a valid minute"),
        ("1,,2 * * * *", "'' is not a valid minute"),
        ("-1 * * * *", "'-1' is not a valid minute"),
        ("१ * * * *", "'१' is not a valid minute"),
        ("* * * *", "is not a schedule"),
        ("@reboot", "is not a schedule"),
        ("", "is not a schedule"),
        ("monthly", "is not a schedule"),
    ],
)
def test_what_is_no_time_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(UsageError, match="not a") as refused:
        parse_cron(text, "")
    assert said in refused.value.message


def test_a_step_in_one_field_of_days_and_names_in_the_other_is_not_guessed_at() -> None:
    with pytest.raises(UsageError, match="ambiguous"):
        _ = parse_cron("0 9 */2 * mon", "").alternatives


def test_day_and_week_have_a_minute_of_their_own_that_stays() -> None:
    minutes = {parse_cron("day", f"project {number}").minutes for number in range(200)}
    assert len(minutes) > 30
    assert (0,) not in minutes, "everybody else asks on the hour"
    assert parse_cron("day", "a") == parse_cron("day", "a") == parse_cron("@daily", "a")
    assert parse_cron("week", "a").weekdays == (1,)


@given(st.sampled_from(sorted(TIMES)), st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001 - made aware below
def test_the_next_time_lies_ahead_and_fits_every_field(text: str, naive: datetime) -> None:
    when, now = parse_cron(text, ""), naive.replace(tzinfo=UTC)
    found = when.next_after(now)
    assert found is not None
    assert found > now
    assert found.minute in when.minutes
    assert found.hour in when.hours
    assert found.month in when.months
    assert when.next_after(found.replace(second=0)) != found
