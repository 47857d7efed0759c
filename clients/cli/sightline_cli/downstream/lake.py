"""The lake of a local stack: how many sightings have got there."""

from pathlib import Path

from sightline_cli.interrupts import Interrupt
from sightline_cli.query.lake import ask, fetch, open_lake
from sightline_cli.stack import Stack


def lake_sightings(stack: Stack, folder: Path, interrupt: Interrupt) -> int:
    """How many distinct sightings the lake has now; `folder` holds its files meanwhile and must be empty."""
    if fetch(stack, folder, interrupt.check) == 0:
        return 0
    with open_lake(folder) as lake:
        ((count,),) = ask(lake, "SELECT count(DISTINCT sighting_id) FROM sightings", interrupt).rows
    return int(count)
