"""Few things, kept by comparing them with what was kept last."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sightline_local.state import Facts
from sightline_local.state.changes import Changes


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    facts = Facts(tmp_path / "facts.sqlite")
    yield facts
    facts.close()


def test_what_is_new_is_kept_and_what_is_gone_forgotten(facts: Facts) -> None:
    changes = Changes(facts, "user")
    changes.keep({"a": b"1", "b": b"2"})
    changes.keep({"b": b"3", "c": b"4"})

    assert facts.all("user") == [("b", b"3"), ("c", b"4")]


def test_what_found_no_home_stays_kept(facts: Facts) -> None:
    facts.put_many("user", [("homeless", b"1"), ("at-home", b"2")])
    changes = Changes(facts, "user")
    changes.found("at-home", b"2")

    changes.keep({})

    assert changes.restored() == [("homeless", b"1")]


def test_what_stays_as_it_is_is_not_written_again(facts: Facts) -> None:
    changes = Changes(facts, "user")
    changes.keep({"a": b"1"})
    facts.put("user", "a", b"somebody else's")

    changes.keep({"a": b"1"})

    assert facts.get("user", "a") == b"somebody else's"
