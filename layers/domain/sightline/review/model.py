"""An alert as people handle it: what was sent, who has looked at it, and whether it was right."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sightline.clock import to_iso
from sightline.errors import ConflictError
from sightline.timeline import ALWAYS, Window

ALERT_STATES = ("pending", "sent")
SEVERITIES = ("low", "medium", "high", "critical")


class Status(StrEnum):
    """open → acknowledged → resolved; acknowledging may be skipped, nothing goes back."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Review:
    """Who did the last step and when; `verdict` is whether the alert was right, None until it is resolved."""

    status: Status = Status.OPEN
    by: str | None = None
    at: datetime | None = None
    verdict: bool | None = None
    note: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None

    def acknowledged(self, *, by: str, at: datetime, note: str | None) -> "Review":
        """Somebody takes care of it; the first one to say so stays the one."""
        if self.status is Status.ACKNOWLEDGED:
            return self
        if self.status is Status.RESOLVED:
            raise ConflictError("The alert is resolved; it cannot be acknowledged any more.")
        return Review(Status.ACKNOWLEDGED, by=by, at=at, note=note, acknowledged_by=by, acknowledged_at=at)

    def resolved(self, *, verdict: bool, by: str, at: datetime, note: str | None) -> "Review":
        """The verdict stands: to say the same again changes nothing, to say the opposite is refused."""
        if self.status is not Status.RESOLVED:
            # A note of the acknowledgement stays unless there is a new one.
            return replace(
                self, status=Status.RESOLVED, by=by, at=at, verdict=verdict, note=note or self.note
            )
        if self.verdict is not verdict:
            said = "true" if self.verdict else "false"
            raise ConflictError(f"The alert is resolved with the verdict {said}; a verdict is final.")
        return self

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "by": self.by,
            "at": self.at and to_iso(self.at),
            "verdict": self.verdict,
            "note": self.note,
            "acknowledged_by": self.acknowledged_by,
            "acknowledged_at": self.acknowledged_at and to_iso(self.acknowledged_at),
        }


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """A raised alert; `body` is the message exactly as it was, or will be, published."""

    alert_id: str
    state: str  # pending | sent
    seen_at: datetime
    raised_at: datetime
    sent_at: datetime | None
    device_id: str
    person_id: str | None
    watchlist_id: str | None  # None: nobody of any list, an alert about an unknown face
    severity: str | None
    body: Mapping[str, Any]
    review: Review = Review()

    def to_json(self) -> dict[str, Any]:
        return {
            **self.body,
            "state": self.state,
            "raised_at": to_iso(self.raised_at),
            "sent_at": self.sent_at and to_iso(self.sent_at),
            "review": self.review.to_json(),
        }


@dataclass(frozen=True, slots=True)
class AlertSearch:
    """Which alerts; None is any."""

    window: Window = ALWAYS
    device_id: str | None = None
    person_id: str | None = None
    watchlist_id: str | None = None
    severity: str | None = None
    state: str | None = None
    status: Status | None = None
