"""What the JSON bodies of requests have in common: strict fields, and the kinds of values that recur."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

# Also what Rekognition allows in an ExternalImageId, which is where the person id goes with each face.
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class RequestBody(BaseModel):
    # Built at the first POST or PATCH: every other request starts cold without it.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def stays(value: object) -> object:
    """For what a merge patch (RFC 7396) may change, but not remove with null."""
    if value is None:
        raise ValueError("cannot be removed")
    return value


def text_of(max_length: int) -> Any:
    """The constraints of a text of 1 to `max_length` characters."""
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=max_length)


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError(
            "must be 1 to 63 lower-case letters, digits and hyphens, and not begin with a hyphen"
        )
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not contain line breaks or other control characters")
    return text


def _similarity_threshold(percent: float) -> float:
    if 0 < percent <= 1:
        raise ValueError(
            f"must be from 80 to 100: it is a percentage, {percent:g} would mean {percent * 100:g}"
        )
    if not 80 <= percent <= 100:
        raise ValueError("must be from 80 to 100, a percentage (Rekognition reports nothing below 80)")
    return percent


Id = Annotated[str, AfterValidator(_id)]
Printable = AfterValidator(_printable)
SimilarityThreshold = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_similarity_threshold)]
