"""What a caller may ask of a device, checked at the door: the JSON bodies of POST and PATCH /devices."""

from hashlib import sha256
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from sightline.devices.model import DEFAULT_VOTE, Location, Vote
from sightline.errors import FieldError, RejectedError
from sightline.request_body import Id, Printable, RequestBody, SimilarityThreshold, stays, text_of


def device_id_of_key(idempotency_key: str) -> str:
    """The id of the device that a request with this key registers, now and when it is repeated."""
    if not (1 <= len(idempotency_key) <= 255):
        raise RejectedError(
            "The request is not valid.", [FieldError("Idempotency-Key", "must have 1 to 255 characters")]
        )
    return "device-" + sha256(idempotency_key.encode()).hexdigest()[:16]


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # unknown; a path outside the data; a folder such as "Europe"
        raise ValueError("must be an IANA time zone such as Europe/Berlin or UTC") from None
    return text


def _as_tuples(value: object) -> object:
    """A JSON array is a list, and what is frozen holds tuples."""
    return tuple(_as_tuples(each) for each in value) if isinstance(value, list) else value


Text = Annotated[str, text_of(100), Printable]
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_time_zone)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Polygon = Annotated[tuple[tuple[Ratio, Ratio], ...], Field(min_length=3, max_length=100)]
Zones = Annotated[tuple[Polygon, ...], Field(max_length=10), BeforeValidator(_as_tuples)]
VisitGapSeconds = Annotated[int, Field(ge=5, le=86_400)]
# More than this within a minute raises an alert; the streaming SQL counts (docs/streaming.md).
PeopleLimit = Annotated[int, Field(ge=1, le=10_000)]
CoolDownSeconds = Annotated[int, Field(ge=0, le=604_800)]


class PlaceRequest(RequestBody):
    latitude: Latitude
    longitude: Longitude

    def to_location(self) -> Location:
        return Location(self.latitude, self.longitude)


class VoteRequest(RequestBody):
    """How many of the last n frames with a face have to agree before an alert."""

    k: Annotated[int, Field(ge=1, le=10)]
    n: Annotated[int, Field(ge=1, le=10)]

    @model_validator(mode="after")
    def _k_of_n(self) -> Self:
        if self.k > self.n:
            raise ValueError(f"k must not be more than n: {self.k} of {self.n} frames can never agree")
        return self

    def to_vote(self) -> Vote:
        return Vote(self.k, self.n)


class RegisterRequest(RequestBody):
    """POST /devices: every field may be left out."""

    device_id: Id | None = None
    name: Text | None = None
    site: Text | None = None
    location: PlaceRequest | None = None
    time_zone: TimeZone = "UTC"
    engine: Literal["stream-processor"] | None = None
    similarity_threshold: SimilarityThreshold = 90.0
    retention_hours: Annotated[int, Field(ge=1, le=87600)] = 24
    zones: Zones = ()
    vote: VoteRequest = VoteRequest.model_construct(k=DEFAULT_VOTE.k, n=DEFAULT_VOTE.n)
    visit_gap_seconds: VisitGapSeconds | None = None
    cool_down_seconds: CoolDownSeconds = 0
    keep_unknown_faces: bool = False
    alert_unknown_faces: bool = False
    people_limit: PeopleLimit | None = None


class PlaceChange(RequestBody):
    """Part of a place: what is left out stays."""

    latitude: Latitude | None = None
    longitude: Longitude | None = None

    @field_validator("latitude", "longitude", mode="before")
    @classmethod
    def _stays(cls, value: object) -> object:
        if value is None:
            raise ValueError("cannot be removed alone; set location to null instead")
        return value

    def merged_into(self, location: Location | None) -> Location:
        known = {} if location is None else {"latitude": location.latitude, "longitude": location.longitude}
        merged = known | self.model_dump(exclude_unset=True)
        missing = [name for name in ("latitude", "longitude") if name not in merged]
        if missing:
            raise RejectedError(
                "The request is not valid.",
                [FieldError(f"location.{name}", "is required") for name in missing],
            )
        return Location(**merged)


class ChangeRequest(RequestBody):
    """PATCH /devices/{device_id}, a JSON merge patch (RFC 7396): null removes; what is left out stays."""

    name: Text | None = None
    site: Text | None = None
    location: PlaceChange | None = None
    time_zone: TimeZone | None = None
    similarity_threshold: SimilarityThreshold | None = None
    zones: Zones | None = None
    vote: VoteRequest | None = None
    visit_gap_seconds: VisitGapSeconds | None = None
    cool_down_seconds: CoolDownSeconds | None = None
    keep_unknown_faces: bool | None = None
    alert_unknown_faces: bool | None = None
    people_limit: PeopleLimit | None = None

    _stays = field_validator(
        "name",
        "time_zone",
        "similarity_threshold",
        "zones",
        "vote",
        "cool_down_seconds",
        "keep_unknown_faces",
        "alert_unknown_faces",
        mode="before",
    )(stays)
