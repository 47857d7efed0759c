"""What needs Java: skipped with the reason where it is not installed, unless nothing may skip (`make test-downstream`)."""

import os

import pytest
from sightline_cli.downstream import flink, presence

_NOTHING_MAY_SKIP = "SIGHTLINE_DOWNSTREAM"


@pytest.fixture(scope="session")
def flink_home() -> None:
    """Flink SQL can run here."""
    _skip_or_fail(flink.missing())


@pytest.fixture(scope="session")
def presence_home() -> None:
    """The presence worker can run here."""
    _skip_or_fail(presence.missing())


def _skip_or_fail(reason: str | None) -> None:
    if reason is None:
        return
    if os.environ.get(_NOTHING_MAY_SKIP):
        pytest.fail(reason)
    pytest.skip(reason)
