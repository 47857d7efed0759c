"""Rows for people (a table, or a block per row where a table is too wide) and for programs."""

import json
import math
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sightline_cli.errors import CliError
from sightline_cli.query.lake import Answer

GAP = 3  # between two columns


def show(answer: Answer, console: Console) -> None:
    """A table, unless the console is too narrow for it."""
    if answer.rows and _width(answer) > console.width:
        for number, block in enumerate(_blocks(answer), 1):
            console.print(Text(f"row {number}", style="dim"), block, sep="\n", soft_wrap=True)
    else:
        console.print(_table(answer))
    number = len(answer.rows)
    console.print(f"{number} row{'' if number == 1 else 's'}", style="dim")


def json_lines(answer: Answer) -> Iterator[str]:
    """An object per row."""
    twice = sorted({name for name in answer.columns if answer.columns.count(name) > 1})
    if twice:
        raise CliError(f"two columns are called {twice[0]}: name one of them with AS")
    names = [json.dumps(name, ensure_ascii=False) for name in answer.columns]
    for row in answer.rows:
        members = (f"{name}: {as_json(value)}" for name, value in zip(names, row, strict=True))
        yield f"{{{', '.join(members)}}}"


def as_json(value: Any) -> str:
    """Moments as in the row of a sighting, exact numbers as numbers; what is no number is null."""
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _table(answer: Answer) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, name in enumerate(answer.columns):
        values = [row[number] for row in answer.rows if row[number] is not None]
        is_number = bool(values) and all(isinstance(each, int | float | Decimal) for each in values)
        table.add_column(Text(name), justify="right" if is_number else "left", no_wrap=True)
    for row in answer.rows:
        table.add_row(*map(_cell, row))
    return table


def _width(answer: Answer) -> int:
    columns = zip(*answer.rows, strict=True)
    widths = (
        max(cell_len(name), *(_cell(value).cell_len for value in values))
        for name, values in zip(answer.columns, columns, strict=True)
    )
    return sum(each + GAP for each in widths)


def _blocks(answer: Answer) -> Iterator[Text]:
    width = max(map(len, answer.columns), default=0)
    for row in answer.rows:
        lines = [
            Text.assemble((f"{name:{width}}  ", "bold"), _cell(value))
            for name, value in zip(answer.columns, row, strict=True)
        ]
        yield Text("\n").join(lines)


def _cell(value: Any) -> Text:
    if value is None:
        return Text()
    text = value if isinstance(value, str) else as_json(value).strip('"')
    # What somebody called a device must not move the cursor.
    return Text("".join(sign if sign.isprintable() else "?" for sign in text))
