"""What a caller may ask of the watchlist, checked at the door: the JSON bodies of POST /people…"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

# Also what Rekognition allows in an ExternalImageId, which is where the person id goes with each face.
_PERSON_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def _person_id(text: str) -> str:
    if _PERSON_ID.fullmatch(text) is None:
        raise ValueError(
            "must be 1 to 63 lower-case letters, digits and hyphens, and not begin with a hyphen"
        )
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not contain line breaks or other control characters")
    return text


PersonId = Annotated[str, AfterValidator(_person_id)]
PersonName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)
]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class AddPersonRequest(_Request):
    """POST /people"""

    name: PersonName
    person_id: PersonId | None = None


class EnrolFaceRequest(_Request):
    """POST /people/{person_id}/faces"""

    image: str
