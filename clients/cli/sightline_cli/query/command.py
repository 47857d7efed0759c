"""`sightline query`: a question in SQL to the lake, and its answer."""

import sys
from pathlib import Path

from rich.console import Console

from sightline_cli.errors import CliError, MisuseError
from sightline_cli.interrupts import interruptible
from sightline_cli.query.answer import json_lines, show
from sightline_cli.query.lake import ask, fetch, fetch_results, open_lake
from sightline_cli.query.statement import as_duckdb
from sightline_cli.stack import Stack
from sightline_cli.temporary import temporary_folder

WIDE = 100_000


def run_query(stack: Stack, *, sql: str | None, file: Path | None, as_json: bool) -> None:
    """Fetch the lake, ask, and print."""
    if stack.target.endpoint_url is None:
        raise MisuseError("--aws: the lake there is asked in Athena (docs/analytics.md), not from here")
    statement = as_duckdb(_text(sql, file))
    with interruptible() as interrupt, temporary_folder(interrupt) as folder:
        place = folder / "lake"
        place.mkdir()
        if not fetch(stack, place, interrupt.check):
            line = (
                "nothing is in the lake yet: sightings get there after LakeBufferSeconds (300) at the latest"
            )
            raise CliError(line)
        fetch_results(stack, place, interrupt.check)
        with open_lake(place) as lake:
            answer = ask(lake, statement, interrupt)
    if as_json:
        for line in json_lines(answer):
            print(line)
    else:
        # What is no terminal has no width: a line is as long as its row.
        show(answer, Console(highlight=False, width=None if sys.stdout.isatty() else WIDE))


def _text(sql: str | None, file: Path | None) -> str:
    if (sql is None) == (file is None):
        raise MisuseError(
            'give a question, as in: sightline query "SELECT count(*) FROM sightings", or --file'
        )
    if file is None:
        assert sql is not None
        return sys.stdin.read() if sql == "-" else sql
    try:
        return file.read_text()
    except UnicodeDecodeError as error:
        raise CliError(f"{file}: is no text") from error
