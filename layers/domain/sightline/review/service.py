"""Find alerts, and say what became of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from sightline.clock import Clock
from sightline.errors import NotFoundError, UnavailableError
from sightline.paging import Page, PageRequest
from sightline.review.model import AlertRecord, AlertSearch, Review
from sightline.timeline import MOST_ID_SIGNS, Window

# When two people press the button at one moment, the second reads what the first did, and decides anew.
ATTEMPTS = 3
# The clock of a camera may be ahead, and with it the moment at which somebody was seen.
CLOCK_SKEW = timedelta(days=1)


class Alerts(Protocol):
    """The alerts as they are kept."""

    def page(self, search: AlertSearch, request: PageRequest) -> Page[AlertRecord]:
        """Newest first. The search's window has both ends; a page may be short before the last one."""
        ...

    def find(self, alert_id: str) -> AlertRecord | None: ...

    def save_review(self, alert_id: str, review: Review, *, seen: Review) -> bool:
        """False: the alert's review is no longer `seen`, or the alert is gone."""
        ...


@dataclass(frozen=True, slots=True)
class AlertReview:
    """`kept` is how long alerts are kept: further back there is nothing to look for."""

    alerts: Alerts
    clock: Clock
    kept: timedelta

    def page(self, search: AlertSearch, request: PageRequest) -> Page[AlertRecord]:
        now = self.clock()
        window = Window(search.window.begin or now - self.kept, search.window.end or now + CLOCK_SKEW)
        return self.alerts.page(replace(search, window=window), request)

    def alert(self, alert_id: str) -> AlertRecord:
        found = self.alerts.find(alert_id) if len(alert_id) <= MOST_ID_SIGNS else None
        if found is None:
            raise NotFoundError("There is no such alert.")
        return found

    def acknowledge(self, alert_id: str, *, by: str, note: str | None) -> AlertRecord:
        return self._move(alert_id, lambda review: review.acknowledged(by=by, at=self.clock(), note=note))

    def resolve(self, alert_id: str, *, verdict: bool, by: str, note: str | None) -> AlertRecord:
        return self._move(
            alert_id, lambda review: review.resolved(verdict=verdict, by=by, at=self.clock(), note=note)
        )

    def _move(self, alert_id: str, move: Callable[[Review], Review]) -> AlertRecord:
        for _ in range(ATTEMPTS):
            found = self.alert(alert_id)
            review = move(found.review)
            if review == found.review or self.alerts.save_review(alert_id, review, seen=found.review):
                return replace(found, review=review)
        raise UnavailableError("Others are changing this alert; try again in a moment.")
