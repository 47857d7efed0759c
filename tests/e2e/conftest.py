"""The program, and a stack that it runs."""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.program import Program, Up


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    (tmp_path / "work").mkdir()
    with tempfile.TemporaryDirectory(prefix="sightline-e2e-") as temporary:
        program = Program(tmp_path / "work", Path(temporary))
        yield program
        program.end()


@pytest.fixture
def up(program: Program) -> Callable[[], Up]:
    """Start a stack on free ports."""

    def start() -> Up:
        child = program.start("up", "--port", "0", "--aws-port", "0", "--json")
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line, child.communicate()[1]
        ready = json.loads(line)
        assert ready["event"] == "ready"
        return Up(child, ready["api_url"], ready["aws_url"], ready["outputs"])

    return start
