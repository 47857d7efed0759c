"""The people of a demo: who is enrolled, from which photo."""

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sightline_cli.api import ApiClient
from sightline_cli.demo.clip import ENROLLED_NAME, enrolment_photo
from sightline_cli.errors import CliError, MisuseError

# Rekognition takes images of up to 5 MiB with the request.
PHOTO_BYTES = 5 << 20


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A name and the bytes of a JPEG or PNG."""

    name: str
    photo: bytes


def own_enrolment() -> Enrolment:
    """The person whom the demo's own clip shows."""
    return Enrolment(ENROLLED_NAME, enrolment_photo())


def read_enrolment(text: str) -> Enrolment:
    """Read NAME=PHOTO, and the photo."""
    name, equals, photo = text.partition("=")
    name = name.strip()
    if not (equals and name and photo):
        raise MisuseError(f"--person is NAME=PHOTO, as in --person 'Ada Lovelace=ada.jpg', not {text!r}")
    path = Path(photo).expanduser()
    content = path.read_bytes()
    if len(content) > PHOTO_BYTES:
        raise CliError(
            f"{path}: a photo may have 5 MiB at the most, this one has {len(content) / (1 << 20):.1f}"
        )
    return Enrolment(name, content)


def enrol(api: ApiClient, enrolment: Enrolment) -> str:
    """Make the person and their face over the API; give the person_id."""
    person_id = str(api.post("/people", {"name": enrolment.name})["person_id"])
    image = base64.b64encode(enrolment.photo).decode("ascii")
    try:
        api.post(f"/people/{quote(person_id, safe='')}/faces", {"image": image})
    except CliError as error:
        raise CliError(f"{enrolment.name} cannot be enrolled: {error}") from error
    return person_id
