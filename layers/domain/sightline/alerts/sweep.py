"""What stayed pending is sent: oldest first, under its own id, for as long as it takes.

A consumer that was killed, or whose batch never came again, leaves its alert pending. The sweeper takes the
alert's lease like any other sender, so that it and a consumer do not both send; an alert whose visit is gone
(its person was erased, or the table was restored) it sends from its own item.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sightline.alerts.memory import lease_for
from sightline.alerts.model import Notification
from sightline.alerts.visit_log import PendingAlert, VisitLog, Write
from sightline.clock import Clock
from sightline.errors import UnavailableError

# As the consumer's: longer than a publish can take.
LEASE = timedelta(seconds=30)
SWEPT_AT_ONCE = 100
# No alert is begun later than this in a run: the function has 60 s, a publish takes 27 s at the most.
TIME_TO_BEGIN = timedelta(seconds=25)


class PendingAlerts(Protocol):
    def oldest(self, limit: int) -> list[PendingAlert]:
        """The first of what is pending, in order of age."""
        ...

    def settle(self, alert_id: str, sent_at: datetime) -> None:
        """The alert has been sent."""
        ...


class Visits(Protocol):
    def read(self, device_id: str, person_id: str) -> VisitLog: ...

    def write(self, log: VisitLog) -> Write: ...

    def settle(self, log: VisitLog, sent_at: datetime) -> Write: ...


class AlertSink(Protocol):
    def publish(self, notification: Notification) -> None: ...


@dataclass(slots=True)
class Swept:
    """`oldest_age`: of what was pending when the run began; zero if nothing was."""

    pending: int = 0
    sent: int = 0
    refused: str | None = None
    oldest_age: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Sweeper:
    pending: PendingAlerts
    visits: Visits
    sink: AlertSink
    clock: Clock
    new_name: Callable[[], str]

    def sweep(self) -> Swept:
        """One run; a topic that refuses ends it, since it would refuse the rest as well."""
        begun_at = self.clock()
        alerts = self.pending.oldest(SWEPT_AT_ONCE)
        swept = Swept(pending=len(alerts))
        if alerts:
            swept.oldest_age = max(timedelta(0), begun_at - alerts[0].pending_since)
        me = self.new_name()
        for alert in alerts:
            now = self.clock()
            if now - begun_at > TIME_TO_BEGIN or alert.pending_since + LEASE > now:
                break  # the rest is younger still: whoever raised it is sending it
            try:
                swept.sent += self._send(alert, me)
            except UnavailableError as error:
                swept.refused = error.detail
                break
        return swept

    def _send(self, alert: PendingAlert, me: str) -> bool:
        log = self.visits.read(alert.device_id, alert.person_id)
        raised = log.pending
        if raised is None or raised.alert_id != alert.alert_id:
            if log.alert is not None and log.alert.alert_id == alert.alert_id:
                self.pending.settle(alert.alert_id, self.clock())  # it was sent, and only its mark is missing
                return False
            self.sink.publish(alert.notification)
            self.pending.settle(alert.alert_id, self.clock())
            return True
        now = self.clock()
        if raised.lease is not None and raised.lease.until > now:
            return False
        held = self.visits.write(log.leased(lease_for(me, now, LEASE)))
        if not held.is_done:
            return False
        self._publish(held.stored, alert)
        self._settle(held.stored)
        return True

    def _publish(self, log: VisitLog, alert: PendingAlert) -> None:
        try:
            self.sink.publish(alert.notification)
        except UnavailableError:
            with suppress(UnavailableError):  # a consumer that waits need not wait for the lease
                self.visits.write(log.leased(None))
            raise

    def _settle(self, log: VisitLog) -> None:
        """Somebody may widen the visit meanwhile; the lease is ours, so the alert is as we left it."""
        for _ in range(10):
            write = self.visits.settle(log.sent(), self.clock())
            if write.is_done or write.stored.pending is None:
                return
            log = write.stored
        raise UnavailableError("too many others write this visit")
