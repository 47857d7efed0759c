"""The table of people: a CSV file → rows, each with what is wrong with it."""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sightline_cli.errors import CliError

COLUMNS = ("person_id", "name", "photos", "watchlists", "notes", "expires_at")
REQUIRED = ("name", "photos")


class RowError(Exception):
    """A row that cannot be enrolled, in words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One person: `about` is what the API is to know beside the name, `photos` names or patterns of files."""

    line: int
    person_id: str
    name: str
    photos: tuple[str, ...]
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WrongRow:
    """One row that cannot be a person."""

    line: int
    name: str
    reason: str


def read_people(path: Path) -> list[Row | WrongRow]:
    """Read the file; CliError when it is no such table at all."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Excel begins with a byte order mark
    except UnicodeDecodeError as error:
        raise CliError(f"{path}: is not UTF-8 text; save it as CSV UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        _check_columns(path, reader.fieldnames)
        return list(_rows(reader))
    except csv.Error as error:
        raise CliError(f"{path}:{reader.line_num}: {error}") from error


def person_id_of(name: str) -> str:
    """An id that a name always gets again, so that the same table never makes the same person twice."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-") or "person"
    return f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return next((each for each in ",\t;" if each in header), ",")


def _check_columns(path: Path, found: Any) -> None:
    names = [str(each).strip() for each in found or ()]
    missing = [each for each in REQUIRED if each not in names]
    unknown = [each for each in names if each not in COLUMNS]
    if missing:
        raise CliError(f"{path}: has no column {missing[0]}; the columns are {', '.join(COLUMNS)}")
    if unknown:
        raise CliError(f"{path}: the column {unknown[0]!r} is none of {', '.join(COLUMNS)}")


def _rows(reader: "csv.DictReader[str]") -> Iterator[Row | WrongRow]:
    lines: dict[str, int] = {}
    for raw in reader:
        line, name = reader.line_num, (raw.get("name") or "").strip()
        try:
            row = _row(line, _cells(raw))
            _check_is_first(row, lines)
        except RowError as error:
            yield WrongRow(line, name, str(error))
        else:
            yield row


def _cells(raw: dict[str | Any, Any]) -> dict[str, str]:
    if None in raw:
        raise RowError("has more cells than the header (quote a cell that holds the separator)")
    return {str(key).strip(): (value or "").replace("\r\n", "\n").strip() for key, value in raw.items()}


def _check_is_first(row: Row, lines: dict[str, int]) -> None:
    first = lines.setdefault(row.person_id, row.line)
    if first != row.line:
        raise RowError(f"is on line {first} already; another person of this name needs a person_id")


def _row(line: int, cells: dict[str, str]) -> Row:
    name = cells["name"]
    photos = _several(cells["photos"])
    if not name:
        raise RowError("has no name")
    if not photos:
        raise RowError("has no photos")
    return Row(line, cells.get("person_id") or person_id_of(name), name, photos, _about(cells))


def _about(cells: dict[str, str]) -> dict[str, Any]:
    """Only what the table speaks of: a column that is not there changes nothing, an empty cell removes."""
    about: dict[str, Any] = {}
    if watchlists := _several(cells.get("watchlists", "")):
        about["watchlist_ids"] = list(watchlists)
    if "notes" in cells:
        about["notes"] = cells["notes"] or None
    if "expires_at" in cells:
        about["expires_at"] = _moment(cells["expires_at"]) if cells["expires_at"] else None
    return about


def _several(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in cell.split(";") if part.strip()))


def _moment(text: str) -> str:
    """As the API writes it. A day means to its end, UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is not None and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        moment = moment.replace(hour=23, minute=59, second=59, tzinfo=UTC)
    if moment is None or moment.tzinfo is None:
        raise RowError(f"expires_at is {text!r}; write 2026-12-31 or 2026-12-31T18:00:00+01:00")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
