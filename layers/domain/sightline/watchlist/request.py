"""What a caller may ask of people and watchlists, checked at the door: the JSON bodies of POST and PATCH."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from sightline.clock import from_iso

# Also what Rekognition allows in an ExternalImageId, which is where the person id goes with each face.
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def _id(text: str) -> str:
    if _ID.fullmatch(text) is None:
        raise ValueError(
            "must be 1 to 63 lower-case letters, digits and hyphens, and not begin with a hyphen"
        )
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not contain line breaks or other control characters")
    return text


def _readable(text: str) -> str:
    if not all(each.isprintable() or each in "\n\t" for each in text):
        raise ValueError("must not contain control characters")
    return text


def _percentage(percent: float) -> float:
    if 0 < percent <= 1:
        raise ValueError(
            f"must be from 80 to 100: it is a percentage, {percent:g} would mean {percent * 100:g}"
        )
    if not 80 <= percent <= 100:
        raise ValueError("must be from 80 to 100, a percentage (Rekognition reports nothing below 80)")
    return percent


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


def _text(max_length: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=max_length)


Id = Annotated[str, AfterValidator(_id)]
PersonName = Annotated[str, _text(200), AfterValidator(_printable)]
Notes = Annotated[str, _text(2000), AfterValidator(_readable)]
# All lists are one item of 400 KB: 200 lists with texts of this length fit, in any script.
ListName = Annotated[str, _text(60), AfterValidator(_printable)]
Owner = Annotated[str, _text(100), AfterValidator(_printable)]
Reason = Annotated[str, _text(200), AfterValidator(_printable)]
Kind = Literal["block", "vip", "staff", "missing", "other"]
Severity = Literal["low", "medium", "high", "critical"]
Percentage = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_percentage)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
ListIds = Annotated[list[Id], Field(max_length=20), AfterValidator(_unique)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    def about(self, *names: str) -> dict[str, Any]:
        """The fields that were sent, but for `names`, as the model takes them."""
        sent = {name: getattr(self, name) for name in self.model_fields_set if name not in names}
        if "watchlist_ids" in sent:
            sent["watchlist_ids"] = tuple(sent["watchlist_ids"])
        return sent


class _Change(_Request):
    """A JSON merge patch (RFC 7396): null removes; what is left out stays."""

    @field_validator("name", "kind", "severity", "watchlist_ids", mode="before", check_fields=False)
    @classmethod
    def _stays(cls, value: object) -> object:
        if value is None:
            raise ValueError("cannot be removed")
        return value


class AddWatchlistRequest(_Request):
    """POST /watchlists"""

    watchlist_id: Id | None = None
    name: ListName
    kind: Kind = "block"
    severity: Severity = "high"
    owner: Owner | None = None
    reason: Reason | None = None
    similarity_threshold: Percentage | None = None
    expires_at: Moment | None = None


class ChangeWatchlistRequest(_Change):
    """PATCH /watchlists/{watchlist_id}"""

    name: ListName | None = None
    kind: Kind | None = None
    severity: Severity | None = None
    owner: Owner | None = None
    reason: Reason | None = None
    similarity_threshold: Percentage | None = None
    expires_at: Moment | None = None


class AddPersonRequest(_Request):
    """POST /people"""

    name: PersonName
    person_id: Id | None = None
    notes: Notes | None = None
    watchlist_ids: ListIds = ["default"]
    similarity_threshold: Percentage | None = None
    expires_at: Moment | None = None
    muted_until: Moment | None = None


class ChangePersonRequest(_Change):
    """PATCH /people/{person_id}"""

    name: PersonName | None = None
    notes: Notes | None = None
    watchlist_ids: ListIds | None = None
    similarity_threshold: Percentage | None = None
    expires_at: Moment | None = None
    muted_until: Moment | None = None


class EnrolFaceRequest(_Request):
    """POST /people/{person_id}/faces: the photo itself, or the upload that holds it."""

    image: str | None = None
    photo_id: Id | None = None
