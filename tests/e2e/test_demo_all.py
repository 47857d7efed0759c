"""`sightline demo --all` on a machine without Java."""

from pathlib import Path

import pytest

from tests.e2e.program import Program


def test_without_java_the_demo_asks_lake_and_warehouse_and_says_why_it_leaves_two_out(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    done = program.run("demo", "--all", "--json", seconds=240)

    assert done.code == 0, done.err
    assert done.err == ""
    told = {event["consumer"]: event for event in done.of("downstream")}
    assert list(told) == ["lake", "warehouse", "flink", "presence"]
    assert told["lake"]["sightings"] == told["warehouse"]["sightings"] > 0
    assert [row["person_name"] for row in told["warehouse"]["rows"]] == ["Eileen Collins"]
    for name in ("flink", "presence"):
        assert told[name]["sightings"] is None
        assert "no Java" in told[name]["left_out"]
        assert "make" in told[name]["left_out"]
    assert done.events[-1]["ok"] is True
    assert program.left_behind() == []
