"""Where a person is: a function of the person's sightings, in whatever order and however often they come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sightline.clock import to_iso

# `since` is exact as long as a person is seen in fewer other visits than this after the begin of the visit.
MOST_VISITS = 16
MOST_SITE_SIGNS = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting that was decided: this person, in this visit; `seen_at` is to the millisecond."""

    person_id: str
    person_name: str | None
    device_id: str
    site: str | None
    visit_id: str
    sighting_id: str
    seen_at: datetime

    @property
    def rank(self) -> tuple[Any, ...]:
        """What is newer ranks higher; the rest decides between sightings of one moment, everywhere alike."""
        about = self.device_id, self.site or "", self.person_name or ""
        return self.seen_at, self.visit_id, self.sighting_id, *about


class Span(NamedTuple):
    """The first and the last sighting of a visit."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Presence:
    """A person's newest sighting, and the visits that may still go on, the newest of them with it."""

    newest: Seen
    visits: Mapping[str, Span]

    @property
    def person_id(self) -> str:
        return self.newest.person_id

    @property
    def since(self) -> datetime:
        return self.visits[self.newest.visit_id].first

    @property
    def last_seen_at(self) -> datetime:
        return self.newest.seen_at

    def is_on_site(self, now: datetime, gone_after: timedelta) -> bool:
        return now - self.last_seen_at <= gone_after

    def to_json(self, now: datetime, gone_after: timedelta) -> dict[str, Any]:
        newest = self.newest
        return {
            "person_id": newest.person_id,
            "person_name": newest.person_name,
            "device_id": newest.device_id,
            "site": newest.site,
            "visit_id": newest.visit_id,
            "since": to_iso(self.since),
            "last_seen_at": to_iso(self.last_seen_at),
            "on_site": self.is_on_site(now, gone_after),
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept of a person; version 0 is nothing."""

    version: int
    presence: Presence | None


@dataclass(frozen=True, slots=True)
class Change:
    """A presence that takes the place of that version."""

    presence: Presence
    version: int


@dataclass(frozen=True, slots=True)
class PresenceSearch:
    """Everybody, or who was last at this site or device; None asks for nothing."""

    site: str | None = None
    device_id: str | None = None
    person_id: str | None = None
    on_site: bool | None = None

    def finds(self, presence: Presence, now: datetime, gone_after: timedelta) -> bool:
        newest = presence.newest
        return (
            self.site in {None, newest.site}
            and self.device_id in {None, newest.device_id}
            and self.person_id in {None, newest.person_id}
            and self.on_site in {None, presence.is_on_site(now, gone_after)}
        )


def seen_again(before: Presence | None, sightings: Iterable[Seen]) -> Presence | None:
    """The presence after these sightings of one person, new and old ones; None without any."""
    newest = before.newest if before else None
    visits = dict(before.visits) if before else {}
    for seen in sightings:
        span = visits.get(seen.visit_id)
        moment = seen.seen_at
        if span is None:
            visits[seen.visit_id] = Span(moment, moment)
        elif moment > span.last or moment < span.first:
            visits[seen.visit_id] = Span(min(span.first, moment), max(span.last, moment))
        if newest is None or seen.rank > newest.rank:
            newest = seen
    return None if newest is None else Presence(newest, _newest_of(visits))


def _newest_of(visits: dict[str, Span]) -> dict[str, Span]:
    if len(visits) <= MOST_VISITS:
        return visits
    by_last = sorted(visits, key=lambda visit_id: (visits[visit_id].last, visit_id))
    return {visit_id: visits[visit_id] for visit_id in by_last[-MOST_VISITS:]}
