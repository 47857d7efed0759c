"""SQL as it lies in files, and which of it a warehouse still needs."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from string import Template
from typing import Any

from sightline.errors import RejectedError

# https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html
MOST_STATEMENTS, LONGEST_STATEMENT_BYTES = 40, 100_000
Row = Mapping[str, Any]  # by the names of its columns
_IDS = ("sighting_id", "device_id")
_NAME = re.compile(r"(\d{3})_[a-z0-9_]+\.sql")
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_END = re.compile(r";[ \t]*$", re.MULTILINE)  # so that a semicolon within a line may be part of a text


class StatementFailedError(Exception):
    """The warehouse did not run it: what it says, in one line."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file; once it was applied it never changes again."""

    version: int
    name: str
    checksum: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a warehouse remembers of a migration."""

    version: int
    name: str
    checksum: str


def statements_of(text: str, **values: str) -> tuple[str, ...]:
    """The statements of a file, each ended by a semicolon at the end of a line; `${NAME}` is filled in.

    Lines of comment are left out. KeyError for a name without a value.
    """
    filled = Template(_COMMENT.sub("", text)).substitute(values)
    return tuple(each.strip() for each in _END.split(filled) if each.strip())


def read_migrations(files: Mapping[str, str]) -> tuple[Migration, ...]:
    """The files `NNN_name.sql` in their order; RejectedError unless they are numbered 1, 2, 3 …"""
    found = []
    for name in sorted(files):
        number = _NAME.fullmatch(name)
        if number is None:
            raise RejectedError(f"{name} is no migration: its name must be like 001_staging.sql.")
        checksum = sha256(files[name].encode()).hexdigest()
        found.append(Migration(int(number[1]), name, checksum, statements_of(files[name])))
    versions = [each.version for each in found]
    if versions != list(range(1, len(found) + 1)):
        raise RejectedError(f"Migrations must be numbered 1, 2, 3 …, not {versions}.")
    return tuple(found)


def still_to_apply(known: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """What the warehouse lacks, in order; RejectedError when what it has is not what the files say.

    A warehouse may be ahead of the files: a deployment that is rolled back brings the older files again,
    and must not fail because of the newer tables.
    """
    done = {each.version: each for each in applied}
    for migration in known:
        was = done.get(migration.version)
        if was is not None and was.checksum != migration.checksum:
            raise RejectedError(
                f"{migration.name} was changed after it had been applied; put the change into a new file."
            )
    lacking = tuple(each for each in known if each.version not in done)
    if lacking and done and lacking[0].version < max(done):
        raise RejectedError(f"{lacking[0].name} was left out: {done[max(done)].name} is applied already.")
    return lacking


def row_line(content: bytes) -> bytes | None:
    """A record of the sightings stream as one line; None when it is no JSON object or has no ids.

    COPY finds the end of an object by its braces: a record that is cut off would swallow the next one.
    It takes an empty text and a number for an id; whether other values fit it finds out by itself.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not all(_is_id(value.get(name)) for name in _IDS):
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value != ""
