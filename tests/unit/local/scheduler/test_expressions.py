"""Schedule expressions: the moments that they mean."""

from datetime import UTC, datetime
from time import perf_counter

import pytest

from sightline_local.cloud.scheduler.expressions import InvalidExpression, parse

NOW = datetime(2026, 3, 27, 12, 0, 30, tzinfo=UTC)  # a Friday, two days before Berlin's clocks go forward


def moments(expression: str, count: int = 3, zone: str = "UTC", start: datetime = NOW) -> list[str]:
    found, parsed = [], parse(expression, zone)
    moment: datetime | None = start
    for _ in range(count):
        assert moment is not None
        moment = parsed.next_after(moment)
        found.append(f"{moment:%Y-%m-%dT%H:%M:%S}" if moment else "never")
    return found


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("rate(1 minute)", "2026-03-27T12:01:30"),
        ("rate(5 minutes)", "2026-03-27T12:05:30"),
        ("rate(1 hour)", "2026-03-27T13:00:30"),
        ("rate(2 days)", "2026-03-29T12:00:30"),
        ("at(2026-04-01T00:00:00)", "2026-04-01T00:00:00"),
        ("cron(0/15 * * * ? *)", "2026-03-27T12:15:00"),
        ("cron(0 10 * * ? *)", "2026-03-28T10:00:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-03-27T18:00:00"),
        ("cron(0 8 1 * ? *)", "2026-04-01T08:00:00"),
        ("cron(0 0 ? * 1 *)", "2026-03-29T00:00:00"),
        ("cron(5,10-12 12 * MAR ? 2026)", "2026-03-27T12:05:00"),
        ("cron(0 0 29 2 ? *)", "2028-02-29T00:00:00"),
        ("cron(0/20 9-17/4 ? * SAT *)", "2026-03-28T09:00:00"),
    ],
)
def test_the_first_moment(expression: str, first: str) -> None:
    assert moments(expression, 1) == [first]


def test_a_rate_goes_on_at_its_distance() -> None:
    assert moments("rate(1 minute)") == ["2026-03-27T12:01:30", "2026-03-27T12:02:30", "2026-03-27T12:03:30"]


def test_a_moment_comes_once() -> None:
    once = parse("at(2026-04-01T00:00:00)")
    assert once.next_after(datetime(2026, 4, 1, tzinfo=UTC)) is None


def test_years_end() -> None:
    assert parse("cron(0 0 1 1 ? 2025)").next_after(NOW) is None


def test_a_time_zone_moves_with_its_summer_time() -> None:
    found = moments("cron(0 8 * * ? *)", zone="Europe/Berlin")
    assert found == ["2026-03-28T07:00:00", "2026-03-29T06:00:00", "2026-03-30T06:00:00"]


def test_a_time_that_the_clocks_skip_does_not_come() -> None:
    found = moments("cron(30 2 * * ? *)", 2, zone="Europe/Berlin")
    assert found == ["2026-03-28T01:30:00", "2026-03-30T00:30:00"]


def test_a_time_that_comes_twice_counts_once() -> None:
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    found = moments("cron(30 2 * * ? *)", 2, zone="Europe/Berlin", start=autumn)
    assert found == ["2026-10-25T00:30:00", "2026-10-26T01:30:00"]


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "rate(0 minutes)",
            "rate(1 minutes)",
            "rate(5 minute)",
            "rate(10 seconds)",
            "every day",
            "",
            "at(soon)",
        ),
        *(
            "cron(* * * * *)",
            "cron(* * * * * *)",
            "cron(0 0 ? * ? *)",
            "cron(60 0 * * ? *)",
            "cron(0 0 32 * ? *)",
        ),
        *("cron(x 0 * * ? *)", "cron(10-5 0 * * ? *)"),
    ],
)
def test_what_is_no_expression_is_refused_by_name(expression: str) -> None:
    with pytest.raises(InvalidExpression, match="Invalid Schedule Expression"):
        parse(expression)


@pytest.mark.parametrize("expression", ["cron(0 0 L * ? *)", "cron(0 0 15W * ? *)", "cron(0 0 ? * 6#3 *)"])
def test_what_is_not_emulated_is_refused_by_name(expression: str) -> None:
    with pytest.raises(InvalidExpression, match=r"does not emulate [LW#] in cron"):
        parse(expression)


def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidExpression, match="Invalid time zone Mars"):
        parse("cron(0 8 * * ? *)", "Mars")


@pytest.mark.parametrize(
    ("expression", "latest"),
    [
        ("rate(7 minutes)", "2026-03-27T11:58:00"),
        ("cron(* * * * ? *)", "2026-03-27T12:00:00"),
        ("cron(0 10 * * ? *)", "2026-03-27T10:00:00"),
        ("cron(0 8 1 * ? *)", "2026-03-01T08:00:00"),
        ("cron(0 8 1 JAN ? *)", "2026-01-01T08:00:00"),
    ],
)
def test_the_latest_of_years_of_moments_is_found_at_once(expression: str, latest: str) -> None:
    parsed = parse(expression)
    first = parsed.next_after(datetime(2020, 1, 1, tzinfo=UTC))
    assert first is not None

    began = perf_counter()
    found = parsed.latest(first, NOW)

    assert f"{found:%Y-%m-%dT%H:%M:%S}" == latest
    assert perf_counter() - began < 1


def test_the_latest_of_moments_of_which_none_has_followed_is_the_first() -> None:
    first = datetime(2026, 3, 27, 10, tzinfo=UTC)
    assert parse("cron(0 10 * * ? *)").latest(first, NOW) == first
    assert parse("at(2026-03-27T10:00:00)").latest(first, NOW) == first
