"""One row of the table → a person and faces, over the API; everything may be done again."""

import base64
import glob
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import urllib3

from sightline_cli.api import ApiError
from sightline_cli.enrol.people_file import Row, WrongRow
from sightline_cli.errors import CliError

# As base64 in JSON this fills what Lambda accepts in a request (6 MB); a larger photo is uploaded.
REQUEST_BYTES = 4_400_000
UPLOAD_BYTES = 15 * 1024 * 1024
# What is said no to because of what was sent; anything else is no fault of the row.
REFUSALS = frozenset({400, 404, 409, 413})
BUSY = frozenset({429, 502, 503, 504})
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0)


class Api(Protocol):
    def answer(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]: ...


@dataclass(frozen=True, slots=True)
class Note:
    """A refusal or a warning: about a photo, or about the whole person."""

    photo: str | None
    text: str


@dataclass(slots=True)
class Result:
    """What came of a row."""

    line: int
    name: str
    person_id: str | None = None
    new_faces: int = 0
    known_faces: int = 0
    refused: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)

    @property
    def has_faces(self) -> bool:
        return self.new_faces + self.known_faces > 0


@dataclass(frozen=True, slots=True)
class Enroller:
    """`put(url, content)` uploads a photo; `sleep(seconds)` waits when the API is busy."""

    api: Api
    photos: Path
    put: Callable[[str, bytes], None]
    sleep: Callable[[float], None] = time.sleep

    def enrol(self, row: Row | WrongRow) -> Result:
        result = Result(row.line, row.name)
        if isinstance(row, WrongRow):
            result.refused.append(Note(None, row.reason))
            return result
        found = self._files(row, result)
        if not found:
            return result
        try:
            is_new = self._person(row)
            result.person_id = row.person_id
            for file in found:
                self._face(row, file, result)
            if is_new and not result.has_faces:
                # Nobody is left behind who can never be recognised.
                result.person_id = None
                self._ask("DELETE", _path(row), None)
        except ApiError as error:
            result.refused.append(_refusal(None, error))
        return result

    def _files(self, row: Row, result: Result) -> list[Path]:
        files: list[Path] = []
        for each in row.photos:
            found = _matching(self.photos, each)
            if not found:
                result.refused.append(Note(each, f"no such photo in {self.photos}"))
            files += found
        return list(dict.fromkeys(files))

    def _person(self, row: Row) -> bool:
        """True if the person is new."""
        wanted = {"name": row.name, **row.about}
        # A person who is there already is answered as he is, whatever was sent.
        sent = {name: value for name, value in wanted.items() if value is not None}
        status, person = self._ask("POST", "/people", {"person_id": row.person_id, **sent})
        changes = {name: value for name, value in wanted.items() if person.get(name) != value}
        if changes:
            self._ask("PATCH", _path(row), changes)
        return status == HTTPStatus.CREATED

    def _face(self, row: Row, file: Path, result: Result) -> None:
        try:
            status, face = self._ask("POST", f"{_path(row)}/faces", self._photo(row, file))
        except ApiError as error:
            result.refused.append(_refusal(file.name, error))
            return
        except (OSError, _UnfitError) as error:
            result.refused.append(Note(file.name, str(getattr(error, "strerror", None) or error)))
            return
        if status == HTTPStatus.CREATED:
            result.new_faces += 1
        else:
            result.known_faces += 1
        result.warnings += [Note(file.name, str(each["detail"])) for each in face.get("warnings", ())]

    def _photo(self, row: Row, file: Path) -> dict[str, str]:
        size_bytes = file.stat().st_size
        if size_bytes > UPLOAD_BYTES:
            raise _UnfitError(f"the photo has {size_bytes / 2**20:.1f} MB; 15 MB is the most")
        content = file.read_bytes()
        if size_bytes <= REQUEST_BYTES:
            return {"image": base64.b64encode(content).decode("ascii")}
        _, upload = self._ask("POST", f"{_path(row)}/photos", None)
        self.put(upload["upload_url"], content)
        return {"photo_id": upload["photo_id"]}

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        for pause_seconds in PAUSES_SECONDS:
            try:
                return self.api.answer(method, path, body)
            except ApiError as error:
                if error.status not in BUSY:
                    raise
            self.sleep(pause_seconds)
        return self.api.answer(method, path, body)


def put_photo(url: str, content: bytes) -> None:
    """HTTP PUT to a presigned URL; its signature is the permission."""
    try:
        # Whole: a photo in memory can be sent again by urllib3 if the connection breaks.
        response = urllib3.request("PUT", url, body=content, timeout=urllib3.Timeout(connect=5, read=60))
    except urllib3.exceptions.HTTPError as error:
        raise CliError(f"a photo could not be uploaded ({type(error).__name__})") from error
    if response.status >= 300:
        raise CliError(f"a photo could not be uploaded: S3 answered {response.status}")


class _UnfitError(Exception):
    """A photo that is not even sent."""


def _path(row: Row) -> str:
    return f"/people/{quote(row.person_id, safe='')}"


def _matching(folder: Path, name: str) -> list[Path]:
    """The file of this name, or the files of this pattern."""
    if (folder / name).is_file():
        return [folder / name]
    # Path.glob refuses an absolute pattern with an exception.
    found = (folder / each for each in glob.glob(name, root_dir=folder))  # noqa: PTH207
    return sorted(path for path in found if path.is_file())


def _refusal(photo: str | None, error: ApiError) -> Note:
    if error.status not in REFUSALS | BUSY:
        raise error
    return Note(photo, str(error))
