"""Ctrl-C and SIGTERM as a request that the program looks at, so that no clean-up is ever cut in two."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from sightline_cli.errors import INTERRUPTED

POLL_SECONDS = 0.05


class Interrupt:
    """Set by the first signal; the second ends the program at once (the kernel ends our children with it)."""

    def __init__(self) -> None:
        self.requested = False
        self.temporary: list[Path] = []

    def check(self) -> None:
        """Raise KeyboardInterrupt, here and nowhere else, once somebody asked to stop."""
        if self.requested:
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Sleep, or raise KeyboardInterrupt as soon as somebody asks to stop."""
        self.wait_for(lambda: False, seconds)

    def wait_for(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until `done()` or for at most `seconds`; tell whether it is done."""
        deadline = time.monotonic() + seconds
        while not done():
            self.check()
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            # A flag and short sleeps: an Event set in a signal handler can dead-lock with what it interrupts.
            time.sleep(min(POLL_SECONDS, left))
        return True

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            for folder in self.temporary:
                shutil.rmtree(folder, ignore_errors=True)
            os._exit(INTERRUPTED)
        self.requested = True
        if sys.stderr.isatty():
            os.write(2, b"\nstopping (Ctrl-C again to stop at once) ...\n")


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Turn SIGINT and SIGTERM into an Interrupt while the block runs."""
    interrupt = Interrupt()
    before = {
        number: signal.signal(number, interrupt.on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
