"""Scheduled rules of EventBridge (SAM's `Schedule`): the default bus, functions as targets."""

import json
import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sightline_local.clock import Timetable
from sightline_local.cloud.scheduler.expressions import parse
from sightline_local.cloud.scheduler.kept_schedules import LastMoments
from sightline_local.cloud.scheduler.series import Series
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import FunctionNotFound, InvocationRefused
from sightline_local.state import Facts

_logger = logging.getLogger(__name__)


class ScheduledRules:
    """Each function's own permission must let the rule in."""

    def __init__(self, functions: Functions, timetable: Timetable, facts: Facts | None = None) -> None:
        self._functions = functions
        self._timetable = timetable
        self._facts = facts or Facts.none()
        self._last = LastMoments(self._facts)
        self._series: list[Series] = []

    def add(self, rule_arn: str, expression: str, targets: Sequence[dict[str, Any]]) -> None:
        """Begin, or go on where it was; InvalidExpression when the expression is none."""

        def fire(moment: datetime) -> None:
            with self._facts.transaction():
                self._last.keep(rule_arn, expression, moment)
                for target in targets:
                    self._call(rule_arn, target, moment)

        parsed, since = parse(expression), self._last.get(rule_arn, expression)
        if since is None:
            self._last.keep(rule_arn, expression, self._timetable.clock.now())
        self._series.append(Series(self._timetable, parsed, fire, since=since))

    def _call(self, rule_arn: str, target: dict[str, Any], moment: datetime) -> None:
        payload = target.get("Input") or json.dumps(_event(rule_arn, moment))
        try:
            self._functions.invoke_later(
                target["Arn"], payload.encode(), service="events.amazonaws.com", source_arn=rule_arn
            )
        except (FunctionNotFound, InvocationRefused) as error:
            _logger.error("%s could not call its target: %s", rule_arn, error)  # noqa: TRY400


def _event(rule_arn: str, moment: datetime) -> dict[str, Any]:
    region, account = rule_arn.split(":")[3:5]
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [rule_arn],
        "detail": {},
    }
