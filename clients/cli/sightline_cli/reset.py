"""`sightline reset`: the end of everything that a local stack kept."""

import sys
from pathlib import Path

import typer

from sightline_cli.errors import MisuseError


def run_reset(data_dir: Path, *, sure: bool) -> None:
    """Remove the data directory; ask before, unless the user is sure."""
    from sightline_local.state.data_dir import reset  # noqa: PLC0415 - `--help` does not need it

    if not sure:
        if not sys.stdin.isatty():
            raise MisuseError("nobody is there to be asked: give --yes")
        typer.confirm(f"Remove all devices, people, alerts and video in {data_dir}?", abort=True)
    reset(data_dir)
    print(f"{data_dir} is removed")
