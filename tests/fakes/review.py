"""The in-memory adapter of `sightline.review`; tests/contract/review checks the promises it keeps."""

from dataclasses import dataclass, field, replace

from sightline.paging import Page, PageRequest
from sightline.review.model import AlertRecord, AlertSearch, Review
from sightline.timeline import Place


@dataclass
class FakeAlerts:
    """`lost_races`: so many reviews are overtaken by somebody else's before one is saved."""

    alerts: dict[str, AlertRecord] = field(default_factory=dict)
    lost_races: int = 0
    rival: Review = field(default_factory=Review)

    def add(self, alert: AlertRecord) -> None:
        self.alerts[alert.alert_id] = alert

    def page(self, search: AlertSearch, request: PageRequest) -> Page[AlertRecord]:
        found = sorted(
            (each for each in self.alerts.values() if _is_wanted(search, each)), key=_key, reverse=True
        )
        if request.after is not None:
            place = Place.from_key(request.after)
            found = [each for each in found if _key(each) < (place.moment, place.item_id)]
        page = found[: request.limit]
        last = page[-1] if len(found) > len(page) else None
        return Page(tuple(page), last and Place(last.seen_at, last.alert_id).to_key())

    def find(self, alert_id: str) -> AlertRecord | None:
        return self.alerts.get(alert_id)

    def save_review(self, alert_id: str, review: Review, *, seen: Review) -> bool:
        alert = self.alerts.get(alert_id)
        if alert is not None and self.lost_races:
            self.lost_races -= 1
            self.alerts[alert_id] = replace(alert, review=self.rival)
            return False
        if alert is None or alert.review != seen:
            return False
        self.alerts[alert_id] = replace(alert, review=review)
        return True


def _key(alert: AlertRecord) -> tuple[object, str]:
    return alert.seen_at, alert.alert_id


def _is_wanted(search: AlertSearch, alert: AlertRecord) -> bool:
    pairs = [
        (search.device_id, alert.device_id),
        (search.person_id, alert.person_id),
        (search.watchlist_id, alert.watchlist_id),
        (search.severity, alert.severity),
        (search.state, alert.state),
        (search.status, alert.review.status),
    ]
    return search.window.holds(alert.seen_at) and all(wanted in {None, has} for wanted, has in pairs)
