"""What a caller may ask about alerts, checked at the door."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from sightline.review.model import ALERT_STATES, SEVERITIES, AlertSearch, Status
from sightline.timeline import check_parameters, read_choice, read_id, read_window

Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
FILTERS = ("device_id", "person_id", "watchlist_id", "severity", "state", "status", "from", "to")


class AcknowledgeRequest(BaseModel):
    """POST /alerts/{alert_id}/acknowledge; the body may be left out."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    note: Note | None = None


class ResolveRequest(BaseModel):
    """POST /alerts/{alert_id}/resolve: `verdict` says whether the alert was right."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    verdict: bool
    note: Note | None = None


def read_search(query: Mapping[str, str]) -> AlertSearch:
    """The filters of GET /alerts; RejectedError names the one that is wrong or unknown."""
    check_parameters(query, FILTERS)
    status = read_choice(query, "status", [each.value for each in Status])
    return AlertSearch(
        window=read_window(query),
        device_id=read_id(query, "device_id"),
        person_id=read_id(query, "person_id"),
        watchlist_id=read_id(query, "watchlist_id"),
        severity=read_choice(query, "severity", SEVERITIES),
        state=read_choice(query, "state", ALERT_STATES),
        status=None if status is None else Status(status),
    )
