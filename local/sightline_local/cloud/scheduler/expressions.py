"""Schedule expressions: when is the next time?

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_LOOK_BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=366))


class InvalidExpression(Exception):  # noqa: N818  as the services' own errors
    """No schedule expression, or one that is not emulated; `str()` says which and why."""


class Expression(Protocol):
    def next_after(self, moment: datetime) -> datetime | None:
        """The first time later than this aware moment; None when there is none any more."""
        ...

    def latest(self, first: datetime, now: datetime) -> datetime:
        """The last time from `first`, which is one and past, until now."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so often, counted from its creation."""

    every: timedelta

    def next_after(self, moment: datetime) -> datetime | None:
        return moment + self.every

    def latest(self, first: datetime, now: datetime) -> datetime:
        return first + (now - first) // self.every * self.every


@dataclass(frozen=True, slots=True)
class Once:
    moment: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        return self.moment if self.moment > moment else None

    def latest(self, first: datetime, now: datetime) -> datetime:  # noqa: ARG002  there is only one
        return first


@dataclass(frozen=True, slots=True)
class Cron:
    """Every moment whose local minute, hour, day and year are all among these."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None  # None: `?`, the weekday decides
    months: frozenset[int]
    weekdays: frozenset[int] | None  # 1 is Sunday
    years: frozenset[int]
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        local = moment.astimezone(self.zone).replace(tzinfo=None)
        for day in self._days_from(local):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    when = self._real(day.replace(hour=hour, minute=minute))
                    if when is not None and when > moment:
                        return when
        return None

    def latest(self, first: datetime, now: datetime) -> datetime:
        for recently in _LOOK_BACK:  # after a long sleep not every minute of it is counted
            if now - recently > first and (recent := self.next_after(now - recently)) and recent <= now:
                first = recent
                break
        following = self.next_after(first)
        while following is not None and following <= now:
            first, following = following, self.next_after(following)
        return first

    def _days_from(self, start: datetime) -> Iterator[datetime]:
        day = start.replace(hour=0, minute=0, second=0, microsecond=0)
        while day.year <= max(self.years):
            if day.year not in self.years:
                day = day.replace(year=day.year + 1, month=1, day=1)
            elif day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
            else:
                if self._is_its_day(day):
                    yield day
                day += timedelta(days=1)

    def _is_its_day(self, day: datetime) -> bool:
        if self.days is not None:
            return day.day in self.days
        return self.weekdays is not None and day.isoweekday() % 7 + 1 in self.weekdays

    def _real(self, local: datetime) -> datetime | None:
        """The moment of a local time: the first one when it comes twice, none when the clocks skip it."""
        moment = local.replace(tzinfo=self.zone).astimezone(UTC)
        return moment if moment.astimezone(self.zone).replace(tzinfo=None) == local else None


def parse(expression: str, zone: str = "UTC") -> Expression:
    """Read `rate(…)`, `cron(…)` or `at(…)`; InvalidExpression otherwise."""
    if match := _RATE.fullmatch(expression):
        count, unit, plural = int(match[1]), match[2], bool(match[3])
        if count == 0 or plural != (count != 1):
            raise InvalidExpression(f"Invalid Schedule Expression {expression}.")
        return Rate(count * _UNITS[unit])
    place = _zone(zone)
    if match := _AT.fullmatch(expression):
        return Once(datetime.fromisoformat(match[1]).replace(tzinfo=place).astimezone(UTC))
    if match := _CRON.fullmatch(expression):
        return _cron(expression, match[1].split(), place)
    raise InvalidExpression(f"Invalid Schedule Expression {expression}.")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise InvalidExpression(f"Invalid time zone {name}.") from error


def _cron(expression: str, fields: list[str], zone: ZoneInfo) -> Cron:
    if len(fields) != 6 or (fields[2] == "?") == (fields[4] == "?"):
        raise InvalidExpression(f"Invalid Schedule Expression {expression}.")
    if special := re.search(r"(?<![A-Z])[LW](?![A-Z])|#", "".join((fields[2], "|", fields[4])).upper()):
        raise InvalidExpression(f"The local runtime does not emulate {special[0]} in {expression}.")
    minutes, hours, days, months, weekdays, years = fields
    try:
        return Cron(
            minutes=_numbers(minutes, 0, 59, {}),
            hours=_numbers(hours, 0, 23, {}),
            days=None if days == "?" else _numbers(days, 1, 31, {}),
            months=_numbers(months, 1, 12, _MONTHS),
            weekdays=None if weekdays == "?" else _numbers(weekdays, 1, 7, _DAYS),
            years=_numbers(years, _FIRST_YEAR, _LAST_YEAR, {}),
            zone=zone,
        )
    except ValueError as error:
        raise InvalidExpression(f"Invalid Schedule Expression {expression}.") from error


def _numbers(field: str, least: int, most: int, names: dict[str, int]) -> frozenset[int]:
    """`5`, `1,3`, `MON-FRI`, `*`, `0/15`, `10-20/2`; ValueError for anything else."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = ("" if span == "*" else span).partition("-")
        start = _number(first, names) if first else least
        end = _number(last, names) if last else (most if step or span == "*" else start)
        if not least <= start <= end <= most:
            raise ValueError(field)
        found.update(range(start, end + 1, int(step) if step else 1))
    return frozenset(found)


def _number(text: str, names: dict[str, int]) -> int:
    return names[text.upper()] if text.upper() in names else int(text)
