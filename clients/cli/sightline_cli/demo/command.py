"""`sightline demo`: options, report, exit code."""

import logging
import os
import sys
import time
from datetime import datetime
from pathlib import Path

from sightline_cli.demo.report import reporting
from sightline_cli.errors import NOBODY_SEEN
from sightline_cli.interrupts import interruptible
from sightline_cli.local_stack import find_template


def run_demo(
    *,
    video: Path | None,
    people: tuple[str, ...],
    keep: Path | None,
    template: Path | None,
    every: bool,
    as_json: bool,
) -> int:
    """Run the demo; 3 when nobody enrolled was seen."""
    began = time.monotonic()
    if not os.environ.get("SIGHTLINE_DEBUG"):
        # The story and the events say what happens; log lines of the libraries would stand between them.
        logging.getLogger().addHandler(logging.NullHandler())
    with interruptible() as interrupt, reporting(as_json=as_json) as report:
        report.stage("getting ready")
        # After the first word on the screen: moto and PyAV take a second or two to import.
        from sightline_cli.demo.flow import Demo, DemoOptions  # noqa: PLC0415

        interrupt.check()
        options = DemoOptions(find_template(template, Path.cwd()), video, people, keep, every_consumer=every)
        started = datetime.now().astimezone()
        outcome = Demo(options, report, interrupt, started, began).run()
    if outcome.ok:
        return 0
    print(f"sightline: nobody enrolled was seen ({', '.join(outcome.enrolled)})", file=sys.stderr)
    return NOBODY_SEEN
