"""What needs Java: skipped with the reason, but not in `make test-downstream`; it is slow enough for that."""

import os

import pytest

from sightline_cli.downstream import flink, presence
from tests.e2e.conftest import program

__all__ = ["program"]

_ASKED_FOR = "SIGHTLINE_DOWNSTREAM"


@pytest.fixture(scope="session")
def flink_home() -> None:
    """Flink SQL can run here."""
    _skip_or_fail(flink.missing())


@pytest.fixture(scope="session")
def presence_home() -> None:
    """The presence worker can run here."""
    _skip_or_fail(presence.missing())


def _skip_or_fail(reason: str | None) -> None:
    if not os.environ.get(_ASKED_FOR):
        pytest.skip(reason or "it takes minutes: `make test-downstream` runs it")
    if reason is not None:
        pytest.fail(reason)
