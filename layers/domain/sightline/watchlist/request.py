"""What a caller may ask of people and watchlists, checked at the door: the JSON bodies of POST and PATCH."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from sightline.clock import from_iso
from sightline.request_body import Id, Printable, RequestBody, SimilarityThreshold, stays, text_of


def _readable(text: str) -> str:
    if not all(each.isprintable() or each in "\n\t" for each in text):
        raise ValueError("must not contain control characters")
    return text


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return from_iso(value)
    except ValueError:
        raise ValueError("must be a time with its UTC offset, such as 2026-12-31T18:00:00Z") from None


def _unique(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        raise ValueError("must not name a watchlist twice")
    return ids


PersonName = Annotated[str, text_of(200), Printable]
Notes = Annotated[str, text_of(2000), AfterValidator(_readable)]
# All lists are one item of 400 KB: 200 lists with texts of this length fit, in any script.
ListName = Annotated[str, text_of(60), Printable]
Owner = Annotated[str, text_of(100), Printable]
Reason = Annotated[str, text_of(200), Printable]
Kind = Literal["block", "vip", "staff", "missing", "other"]
Severity = Literal["low", "medium", "high", "critical"]
Moment = Annotated[datetime, BeforeValidator(_moment)]
ListIds = Annotated[list[Id], Field(max_length=20), AfterValidator(_unique)]


class _Request(RequestBody):
    def about(self, *names: str) -> dict[str, Any]:
        """The fields that were sent, but for `names`, as the model takes them."""
        sent = {name: getattr(self, name) for name in self.model_fields_set if name not in names}
        if "watchlist_ids" in sent:
            sent["watchlist_ids"] = tuple(sent["watchlist_ids"])
        return sent


class _Change(_Request):
    """A JSON merge patch (RFC 7396): null removes; what is left out stays."""

    _stays = field_validator("name", "kind", "severity", "watchlist_ids", mode="before", check_fields=False)(
        stays
    )


class AddWatchlistRequest(_Request):
    """POST /watchlists"""

    watchlist_id: Id | None = None
    name: ListName
    kind: Kind = "block"
    severity: Severity = "high"
    owner: Owner | None = None
    reason: Reason | None = None
    similarity_threshold: SimilarityThreshold | None = None
    expires_at: Moment | None = None


class ChangeWatchlistRequest(_Change):
    """PATCH /watchlists/{watchlist_id}"""

    name: ListName | None = None
    kind: Kind | None = None
    severity: Severity | None = None
    owner: Owner | None = None
    reason: Reason | None = None
    similarity_threshold: SimilarityThreshold | None = None
    expires_at: Moment | None = None


class AddPersonRequest(_Request):
    """POST /people"""

    name: PersonName
    person_id: Id | None = None
    notes: Notes | None = None
    watchlist_ids: ListIds = ["default"]  # noqa: RUF012 - pydantic copies it
    similarity_threshold: SimilarityThreshold | None = None
    expires_at: Moment | None = None
    muted_until: Moment | None = None


class ChangePersonRequest(_Change):
    """PATCH /people/{person_id}"""

    name: PersonName | None = None
    notes: Notes | None = None
    watchlist_ids: ListIds | None = None
    similarity_threshold: SimilarityThreshold | None = None
    expires_at: Moment | None = None
    muted_until: Moment | None = None


class EnrolFaceRequest(_Request):
    """POST /people/{person_id}/faces: the photo itself, or the upload that holds it."""

    image: str | None = None
    photo_id: Id | None = None
