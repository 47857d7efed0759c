"""Ctrl-C and SIGTERM."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sightline_cli.interrupts import Interrupt, interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_request_that_the_next_wait_notices(number: signal.Signals) -> None:
    with interruptible() as interrupt:
        interrupt.check()
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()

        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            interrupt.sleep(10)

    assert time.monotonic() - began < 2


def test_the_handlers_of_before_are_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)

    with interruptible():
        assert signal.getsignal(signal.SIGINT) != before

    assert signal.getsignal(signal.SIGINT) == before


def test_a_wait_ends_when_it_is_done_or_when_its_time_is_over() -> None:
    interrupt, tries = Interrupt(), iter([False, False, True])

    assert interrupt.wait_for(lambda: next(tries), 5)
    assert not interrupt.wait_for(lambda: False, 0.1)


def test_the_second_signal_ends_the_program_at_once_and_removes_its_temporary_folder(tmp_path: Path) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    script = f"""
import pathlib, time
from sightline_cli.interrupts import interruptible
with interruptible() as interrupt:
    interrupt.temporary.append(pathlib.Path({str(folder)!r}))
    print("ready", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"ready\n"

        program.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert program.poll() is None
        program.send_signal(signal.SIGINT)

        assert program.wait(5) == 130
    assert not folder.exists()
