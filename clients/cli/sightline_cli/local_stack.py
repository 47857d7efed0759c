"""The stack on this machine, for as long as a block runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt

if TYPE_CHECKING:
    from sightline_local.runtime import Runtime, RuntimeOptions

TEMPLATE = "template.yaml"


def find_template(given: Path | None, start: Path) -> Path:
    """Take the given template, or the nearest one at or above `start`, or the one of this checkout."""
    if given is not None:
        if not given.is_file():
            raise CliError(f"{given}: no such file")
        return given
    for place in (start.resolve(), Path(__file__).resolve().parent):
        for folder in (place, *place.parents):
            if (folder / TEMPLATE).is_file():
                return folder / TEMPLATE
    raise CliError(
        f"no {TEMPLATE} here or in a folder above: change into the project, or give --template FILE"
    )


@contextmanager
def local_stack(
    options: "RuntimeOptions", interrupt: Interrupt, progress: Callable[[str], None]
) -> Iterator["Runtime"]:
    """Deploy and serve; whatever happens, nothing of it is left afterwards."""
    from sightline_local.runtime import Runtime  # noqa: PLC0415 - moto takes a second to import

    def go_on(text: str) -> None:
        interrupt.check()
        progress(text)

    runtime = Runtime(options)
    try:
        runtime.start(go_on)
        interrupt.check()
        yield runtime
    finally:
        runtime.stop()
