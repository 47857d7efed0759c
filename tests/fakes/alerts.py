"""In-memory adapters of `sightline.alerts`, and a world in which processes crash between any two calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sightline.alerts.model import Notification
from sightline.alerts.visit_log import VisitLog, Write
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
    calls: Calls = field(default_factory=Calls)
    items: dict[tuple[str, str], VisitLog] = field(default_factory=dict)

    def write(self, log: VisitLog) -> Write:
        result: Write = self.calls.make("visits.write", lambda: self._write(log))
        return result

    def _write(self, log: VisitLog) -> Write:
        key = (log.device_id, log.person_id)
        stored = self.items.get(key, VisitLog(*key))
        if stored.revision != log.revision:
            return Write(is_done=False, stored=stored)
        self.items[key] = replace(log, revision=log.revision + 1)
        return Write(is_done=True, stored=self.items[key])


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
        return [json.loads(each.body)["person"]["id"] for each in self.published]
