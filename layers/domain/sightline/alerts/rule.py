"""Who alerts, and when: the whole rule, as functions of what is known; no clock, no call.

A face in a frame        lies in one of the device's zones, if it has any (its edge included)    else: nothing
A match                  reaches the person's and the device's threshold, and one live list's    else: nothing
  it counts              if a list that it reaches may alert, the person is neither expired
                         nor muted                                                               else: kept
  it votes               not within the cool-down around an alert of this person that was sent     else: kept
An unknown face          counts and votes, all of them as one person, if the device alerts
                         for unknown faces; it is kept if the device keeps unknown faces         else: nothing
The alert of a visit     once, when k of n frames of the device (with a face in a zone) in a
                         row have agreed                                                         else: wait

"Nothing" is no sighting; "kept" is a sighting that leads to no alert; "wait": the next sighting asks again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sightline.devices.model import Vote, Zone
from sightline.watchlist.model import Face, Watchlist

SILENT_KIND = "staff"
SEVERITIES = ("low", "medium", "high", "critical")


class Verdict(NamedTuple):
    """What a match is worth: the list it is shown under, and whether it counts towards an alert."""

    watchlist: Watchlist | None
    counts: bool


def effective_threshold(
    device_percent: float, watchlist: Watchlist | None, person_percent: float | None
) -> float:
    """The highest of the three; who says nothing asks for nothing."""
    of_list = watchlist.similarity_threshold if watchlist else None
    return max(device_percent, of_list or 0.0, person_percent or 0.0)


def verdict_of(
    similarity_percent: float,
    seen_at: datetime,
    now: datetime,
    *,
    face: Face,
    watchlists: Mapping[str, Watchlist],
    device_percent: float,
) -> Verdict | None:
    """None if it is no sighting at all; expiry counts from its moment on, in the frame and here."""
    own = face.similarity_threshold
    if similarity_percent < effective_threshold(device_percent, None, own):
        return None
    latest = max(seen_at, now)
    live = [each for key in face.watchlist_ids if (each := watchlists.get(key)) and not _ended(each, latest)]
    reached = [each for each in live if similarity_percent >= effective_threshold(device_percent, each, own)]
    if live and not reached:
        return None
    loud = [each for each in reached if each.kind != SILENT_KIND]
    is_quiet = _ended(face, latest) or (face.muted_until is not None and seen_at < face.muted_until)
    return Verdict(_gravest(loud or reached), counts=bool(loud) and not is_quiet)


def _ended(thing: Face | Watchlist, moment: datetime) -> bool:
    return thing.expires_at is not None and moment >= thing.expires_at


def _gravest(watchlists: Sequence[Watchlist]) -> Watchlist | None:
    """The first of the most severe."""
    if len(watchlists) == 1:
        return watchlists[0]
    return max(watchlists, key=lambda each: _rank(each.severity), default=None)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


def is_in_zones(x: float, y: float, zones: Sequence[Zone]) -> bool:
    """Whether the point is in a zone or on its edge; a device without zones watches everywhere."""
    return not zones or any(is_in_zone(x, y, zone) for zone in zones)


def is_in_zone(x: float, y: float, zone: Zone) -> bool:
    """Even-odd rule: what a self-crossing polygon encloses twice is outside."""
    inside = False
    for (x1, y1), (x2, y2) in zip(zone, (*zone[1:], zone[0]), strict=True):
        if _is_on_edge(x, y, (x1, y1), (x2, y2)):
            return True
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


def _is_on_edge(x: float, y: float, begin: tuple[float, float], end: tuple[float, float]) -> bool:
    (x1, y1), (x2, y2) = begin, end
    across = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
    return abs(across) <= 1e-12 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)


def is_voted(agreeing: Iterable[datetime], frames: Iterable[datetime], vote: Vote) -> bool:
    """Whether k of n frames in a row agree; each moment is one frame, and `frames` may lack agreeing ones.

    A frame that nobody remembers (another process saw it) is in no row: what is forgotten can bring an alert
    earlier, never keep it away.
    """
    yes = set(agreeing)
    if len(yes) < vote.k:
        return False
    row = [moment in yes for moment in sorted(yes.union(frames))]
    return any(sum(row[start : start + vote.n]) >= vote.k for start in range(len(row)))


def is_cooling_down(seen_at: datetime, alerts_at: Iterable[datetime], cool_down: timedelta) -> bool:
    """`alerts_at`: when the person of each alert that was sent was seen; a late record may lie before."""
    return any(abs(seen_at - alert_at) < cool_down for alert_at in alerts_at)
