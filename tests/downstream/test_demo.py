"""`sightline demo --all`, with everything that it can show."""

import json
import time

from tests.e2e.program import Program

CONSUMERS = ["lake", "warehouse", "flink", "presence"]


def test_the_demo_ends_with_all_four_consumers_agreeing_on_the_sightings(
    program: Program, flink_home: None, presence_home: None
) -> None:
    done = program.run("demo", "--all", "--json", seconds=280)

    assert done.code == 0, done.err
    assert done.err == ""
    told = {event["consumer"]: event for event in done.of("downstream")}
    assert list(told) == CONSUMERS
    (sightings,) = {event["sightings"] for event in told.values()}
    assert sightings > 0
    assert [event["left_out"] for event in told.values()] == [None] * 4
    (visit,), (place,) = told["warehouse"]["rows"], told["presence"]["rows"]
    assert visit["sightings"] == sum(row["sightings"] for row in told["flink"]["rows"]) == sightings
    assert visit["person_name"] == place["person_name"] == "Eileen Collins"
    assert visit["device_id"] == place["device_id"] == "demo-entrance"
    assert done.events[-1]["ok"] is True
    assert program.left_behind() == []


def test_ctrl_c_while_flink_runs_leaves_nothing_behind(program: Program, flink_home: None) -> None:
    child = program.start("demo", "--all", "--json")
    assert child.stdout is not None
    for line in child.stdout:
        if json.loads(line).get("consumer") == "warehouse":
            break
    time.sleep(3)  # by then Java has started

    done = program.interrupt(child)

    assert done.code == 130
    assert done.err == ""
    assert done.seconds < 20
    assert program.left_behind() == []
