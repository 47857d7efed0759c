"""In-memory adapters of `sightline.alerts`, and a world in which processes crash between any two calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sightline.alerts.model import Notification
from sightline.alerts.visit_log import PendingAlert, VisitLog, Write
from sightline.errors import UnavailableError


class Crash(BaseException):
    """The process ends here: nobody catches it."""


@dataclass
class Calls:
    """Counts the calls of all fakes, and lets the n-th fail: before or after it has taken effect."""

    names: list[str] = field(default_factory=list)
    fail_at: int | None = None
    after_effect: bool = False
    failure: BaseException = field(default_factory=Crash)

    def make(self, name: str, effect: Callable[[], Any]) -> Any:
        self.names.append(name)
        is_bad = len(self.names) - 1 == self.fail_at
        if is_bad and not self.after_effect:
            raise self.failure
        result = effect()
        if is_bad:
            raise self.failure
        return result


@dataclass
class FakeVisits:
    """Also the alerts table: `pending` are those that are not marked sent."""

    calls: Calls = field(default_factory=Calls)
    items: dict[tuple[str, str], VisitLog] = field(default_factory=dict)
    pending: dict[str, PendingAlert] = field(default_factory=dict)
    sent_at: dict[str, datetime] = field(default_factory=dict)

    def read(self, device_id: str, person_id: str) -> VisitLog:
        key = (device_id, person_id)
        log: VisitLog = self.calls.make("visits.read", lambda: self.items.get(key, VisitLog(*key)))
        return log

    def write(self, log: VisitLog) -> Write:
        result: Write = self.calls.make("visits.write", lambda: self._write(log))
        return result

    def claim(self, log: VisitLog) -> Write:
        result: Write = self.calls.make("visits.claim", lambda: self._claim(log))
        return result

    def settle(self, log: VisitLog, sent_at: datetime) -> Write:
        result: Write = self.calls.make("visits.settle", lambda: self._settle(log, sent_at))
        return result

    def _claim(self, log: VisitLog) -> Write:
        write = self._write(log)
        if write.is_done and (alert := log.alert) is not None:
            self.pending[alert.alert_id] = PendingAlert(
                alert.alert_id, log.device_id, log.person_id, alert.raised_at, alert.notification
            )
        return write

    def _settle(self, log: VisitLog, sent_at: datetime) -> Write:
        write = self._write(log)
        if write.is_done and log.alert is not None:
            self._mark(log.alert.alert_id, sent_at)
        return write

    def _mark(self, alert_id: str, sent_at: datetime) -> None:
        self.pending.pop(alert_id, None)
        self.sent_at[alert_id] = sent_at

    def _write(self, log: VisitLog) -> Write:
        key = (log.device_id, log.person_id)
        stored = self.items.get(key, VisitLog(*key))
        if stored.revision != log.revision:
            return Write(is_done=False, stored=stored)
        self.items[key] = replace(log, revision=log.revision + 1)
        return Write(is_done=True, stored=self.items[key])


@dataclass
class FakePendingAlerts:
    visits: FakeVisits

    def oldest(self, limit: int) -> list[PendingAlert]:
        found = sorted(self.visits.pending.values(), key=lambda alert: alert.pending_since)
        alerts: list[PendingAlert] = self.visits.calls.make("pending.oldest", lambda: found[:limit])
        return alerts

    def settle(self, alert_id: str, sent_at: datetime) -> None:
        self.visits.calls.make("pending.settle", lambda: self.visits._mark(alert_id, sent_at))


@dataclass
class FakeSink:
    """`refusals`: so many publishes are refused before one is taken."""

    calls: Calls = field(default_factory=Calls)
    published: list[Notification] = field(default_factory=list)
    refusals: int = 0
    before: Callable[[], None] = lambda: None

    def publish(self, notification: Notification) -> None:
        self.before()
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("the alerts topic refused: NotFound")
        self.calls.make("sink.publish", lambda: self.published.append(notification))

    @property
    def alert_ids(self) -> list[str]:
        return [json.loads(each.body)["alert_id"] for each in self.published]

    @property
    def people(self) -> list[str]:
        people = [json.loads(each.body)["person"] for each in self.published]
        return [person["id"] if person else "#unknown" for person in people]
