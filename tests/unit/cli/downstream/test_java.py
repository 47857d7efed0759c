"""A program beside ours ends with us, whatever becomes of either."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sightline_cli.downstream import java
from sightline_cli.downstream.java import JavaProcess

# It starts a child, as the daemons do, and tells both numbers.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(__import__("os").getpid(), child.pid, flush=True)
time.sleep(600)
"""
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("saving", flush=True), sys.exit(7)))
print("ready", flush=True)
time.sleep(600)
"""


def process(folder, code):
    lines = []
    return lines, JavaProcess(
        [sys.executable, "-c", code], {"PATH": os.environ["PATH"]}, folder / "log", lines.append
    )


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def is_running(pid):
    """A zombie has ended, though its number is taken."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.fixture
def family(tmp_path):
    lines, running = process(tmp_path, PARENT)
    running.start()
    wait_for(lambda: lines)
    yield running, [int(each) for each in lines[0].split()]
    running.kill()


def test_a_killed_program_takes_its_children_along(family):
    running, members = family

    running.kill()

    assert running.status == 128 + signal.SIGKILL
    wait_for(lambda: not any(map(is_running, members)))


def test_the_children_of_a_program_that_crashed_end_too(family):
    running, (program, child) = family

    os.kill(program, signal.SIGKILL)

    assert running.wait(20)
    assert running.status == 128 + signal.SIGKILL
    wait_for(lambda: not is_running(child))


def test_a_program_that_is_asked_to_end_may_finish(tmp_path):
    lines, running = process(tmp_path, POLITE)
    running.start()
    wait_for(lambda: lines)

    running.terminate()

    assert running.wait(20)
    assert running.status == 7
    assert lines == ["ready", "saving"]
    assert (tmp_path / "log").read_text() == "ready\nsaving\n"


def test_nothing_is_left_when_whoever_started_it_is_killed(tmp_path):
    starter = f"""
import os, sys, time
from pathlib import Path
from sightline_cli.downstream.java import JavaProcess
JavaProcess([sys.executable, "-c", {PARENT!r}], dict(os.environ), Path({str(tmp_path / "log")!r}),
            lambda line: print(line, flush=True)).start()
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as started:
        members = [int(each) for each in started.stdout.readline().split()]
        assert all(map(is_running, members))

        started.kill()

        wait_for(lambda: not any(map(is_running, members)))


def test_a_status_is_known_as_soon_as_it_has_ended_and_not_before(tmp_path):
    lines, running = process(tmp_path, POLITE)
    assert running.status is None
    running.start()
    wait_for(lambda: lines)
    assert running.status is None

    running.kill()

    assert running.status is not None


@pytest.mark.parametrize(
    ("says", "wrong"),
    [
        ('openjdk version "17.0.15" 2025-04-15', None),
        ('openjdk version "21" 2023-09-19', None),
        ('java version "1.8.0_412"', "its Java is older than 17"),
        ('openjdk version "11.0.2" 2019-01-15', "its Java is older than 17"),
        ("no idea", "its Java is older than 17"),
    ],
)
def test_a_java_is_known_by_its_version(tmp_path, monkeypatch, says, wrong):
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert java.missing_java() == wrong


def test_a_machine_without_java_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert java.missing_java() == "no Java"


def test_a_java_that_does_not_run_is_none(tmp_path, monkeypatch):
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\necho 'No Java runtime present' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert java.missing_java() == "its Java does not run"
