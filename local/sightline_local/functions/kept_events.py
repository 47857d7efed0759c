"""Accepted events as facts: the event itself once, and how far it has come anew with every retry."""

import json
import logging
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sightline_local.functions.spec import InvokeResult
from sightline_local.state import Facts, FactsNotKeptError

_logger = logging.getLogger(__name__)
_EVENT, _PROGRESS = "lambda.event", "lambda.event-progress"


@dataclass(frozen=True, slots=True)
class AsyncInvocation:
    """One event on its way; `failures` counts what the function failed, `refusals` what never reached it."""

    function_name: str
    payload: bytes
    request_id: str
    accepted_at: datetime
    failures: int = 0
    refusals: int = 0
    last: InvokeResult | None = None


class KeptEvents:
    """Events that were accepted and have not ended."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def accept(self, invocation: AsyncInvocation) -> None:
        """FactsNotKeptError: then it is not accepted."""
        head = json.dumps([invocation.function_name, invocation.accepted_at.isoformat()])
        self._facts.put(_EVENT, invocation.request_id, head.encode() + b"\n" + invocation.payload)

    def again(self, invocation: AsyncInvocation, moment: datetime) -> None:
        """It is to be tried again at that moment; should this be lost, it is tried again earlier."""
        last = invocation.last
        progress: dict[str, Any] = {
            "moment": moment.isoformat(),
            "failures": invocation.failures,
            "refusals": invocation.refusals,
            "last": last and [b64encode(last.payload).decode(), last.error, last.request_id],
        }
        try:
            self._facts.put(_PROGRESS, invocation.request_id, json.dumps(progress).encode())
        except FactsNotKeptError as error:
            _logger.error("a retry of %s is not kept: %s", invocation.function_name, error)  # noqa: TRY400

    def ended(self, invocation: AsyncInvocation) -> None:
        try:
            with self._facts.transaction():
                self._facts.delete(_EVENT, [invocation.request_id])
                self._facts.delete(_PROGRESS, [invocation.request_id])
        except FactsNotKeptError as error:
            _logger.error("an event of %s may come again: %s", invocation.function_name, error)  # noqa: TRY400

    def all(self) -> list[tuple[AsyncInvocation, datetime]]:
        """Each with the moment at which it is due, in the order in which they were accepted."""
        progress = dict(self._facts.all(_PROGRESS))
        kept = [_read(key, value, progress.get(key)) for key, value in self._facts.all(_EVENT)]
        return sorted(kept, key=lambda event: event[0].accepted_at)


def _read(request_id: str, value: bytes, progress: bytes | None) -> tuple[AsyncInvocation, datetime]:
    head, _, payload = value.partition(b"\n")
    name, accepted = json.loads(head)
    accepted_at = datetime.fromisoformat(accepted)
    if progress is None:
        return AsyncInvocation(name, payload, request_id, accepted_at), accepted_at
    so_far = json.loads(progress)
    last = so_far["last"]
    result = InvokeResult(b64decode(last[0]), last[1], last[2]) if last else None
    invocation = AsyncInvocation(
        name, payload, request_id, accepted_at, so_far["failures"], so_far["refusals"], result
    )
    return invocation, datetime.fromisoformat(so_far["moment"])
