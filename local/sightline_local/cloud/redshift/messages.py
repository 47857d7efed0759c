"""DuckDB's errors in Redshift's words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from sightline_local.cloud.redshift.errors import NotEmulatedError, SqlError

_MESSAGES = (
    (re.compile(r'(?:Table|View) with name "?(.+?)"? does not exist'), 'relation "{}" does not exist'),
    (re.compile(r'(?:Table|View) with name "?(.+?)"? already exists'), 'relation "{}" already exists'),
    (re.compile(r'[Ss]chema with name "?(.+?)"? does not exist'), 'schema "{}" does not exist'),
    (re.compile(r'[Ss]chema with name "?(.+?)"? already exists'), 'schema "{}" already exists'),
    (
        re.compile(r'(?:Referenced|Column|column) (?:column )?"(.+?)" (?:not found|does not)'),
        'column "{}" does not exist',
    ),
    (re.compile(r"CHECK constraint failed.*strlen"), "value too long for character type"),
    (re.compile(r"NOT NULL constraint failed: (?:\S+\.)?(\S+)"), "cannot insert a NULL value into column {}"),
)


@contextmanager
def told() -> Iterator[None]:
    """Raise SqlError for whatever DuckDB raises."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise SqlError("Query cancelled on user's request") from error
    except duckdb.NotImplementedException as error:
        raise NotEmulatedError(str(error).partition("\n")[0]) from error
    except duckdb.Error as error:
        raise SqlError(_message(str(error))) from error


def _message(text: str) -> str:
    for pattern, words in _MESSAGES:
        if found := pattern.search(text):
            return words.format(*found.groups())
    return text.partition("\n")[0].partition("Error: ")[2] or text.partition("\n")[0]
