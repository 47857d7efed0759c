"""Event source mappings of a runtime that ends and starts again over the same streams and queues."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sightline_local.iam import Authorizer
from sightline_local.state import Facts
from sightline_local.triggers.mapping import MappingSettings
from sightline_local.triggers.mappings import Mappings

HANDLER = """
import base64, json
def handle(event, context):
    data = [base64.b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
    with open("seen", "a") as file: file.write(json.dumps(data) + "\\n")
    if "throw" in data: raise ValueError("thrown")
"""
READ = {"Effect": "Allow", "Action": ["kinesis:*", "sqs:*"], "Resource": "*"}


class Runs:
    """One start after the other: each has mappings of its own, and the same facts."""

    def __init__(self, cloud: Any, facts: Facts) -> None:
        self.cloud, self.facts = cloud, facts
        self.mappings = self._new()

    def template(self, **changes: Any) -> MappingSettings:
        """The mapping of the template, made as a deployment makes it."""
        return self.mappings.create(settings(self.cloud, **changes)).settings

    def begin(self) -> list[str]:
        homeless = self.mappings.restore()
        self.mappings.begin()
        return homeless

    def again(self) -> None:
        self.mappings.close()
        self.mappings = self._new()

    def put(self, *data: str, key: str = "k") -> None:
        records = [{"Data": each.encode(), "PartitionKey": key} for each in data]
        self.cloud.client("kinesis").put_records(StreamName="faces", Records=records)

    def seen(self) -> list[str]:
        path = self.cloud.folder / "consume" / "seen"
        lines = path.read_text().splitlines() if path.exists() else []
        return [data for line in lines for data in json.loads(line)]

    def _new(self) -> Mappings:
        cloud = self.cloud
        made = Mappings(
            cloud.functions,
            cloud.sessions,
            Authorizer("123456789012", "us-east-1"),
            cloud.clients,
            cloud.streams,
            facts=self.facts,
        )
        cloud.streams.listeners[:] = [made.wake]
        return made


def settings(cloud: Any, **changes: Any) -> MappingSettings:
    function, stream = cloud.arn("lambda", "function:consume"), cloud.arn("kinesis", "stream/faces")
    return MappingSettings("any", function, stream, **{"starting_position": "LATEST", **changes})


@pytest.fixture
def runs(cloud: Any, tmp_path: Path) -> Iterator[Runs]:
    cloud.client("kinesis").create_stream(StreamName="faces", ShardCount=1)
    cloud.function("consume", HANDLER, READ)
    facts = Facts(tmp_path / "facts")
    runs = Runs(cloud, facts)
    yield runs
    runs.mappings.close()
    facts.close()


def test_nothing_is_read_before_the_beginning(runs: Runs, until: Callable[..., Any]) -> None:
    runs.template(starting_position="TRIM_HORIZON")
    runs.put("a")
    assert runs.mappings.find()[0].last_result == "No records processed"

    runs.begin()

    until(lambda: runs.seen() == ["a"])


def test_a_mapping_goes_on_where_it_was(runs: Runs, until: Callable[..., Any]) -> None:
    made = runs.template()
    runs.begin()
    runs.put("a", "b")
    until(lambda: runs.mappings.find()[0].last_result == "OK")
    runs.again()
    runs.put("while it was down")

    assert runs.template().uuid == made.uuid
    assert runs.begin() == []

    until(lambda: runs.seen() == ["a", "b", "while it was down"])


def test_latest_means_the_first_start_even_when_nothing_was_read(
    runs: Runs, until: Callable[..., Any]
) -> None:
    runs.template()
    runs.begin()
    runs.again()
    runs.put("while it was down")

    runs.template()
    runs.begin()

    until(lambda: runs.seen() == ["while it was down"])


def test_every_lane_goes_on_where_it_was(runs: Runs, until: Callable[..., Any]) -> None:
    runs.template(parallelization=4, batch_size=1)
    runs.begin()
    for key in "abcdefgh":
        runs.put(f"first {key}", key=key)
    until(lambda: len(runs.seen()) == 8)
    until(lambda: runs.mappings.find()[0].last_result == "OK")
    runs.again()

    runs.template(parallelization=4, batch_size=1)
    runs.begin()
    for key in "abcdefgh":
        runs.put(f"second {key}", key=key)

    until(lambda: len([data for data in runs.seen() if data.startswith("second")]) == 8)
    assert len(runs.seen()) <= 16 + 4  # what was under way may come again, nothing else


def test_a_mapping_that_was_made_at_run_time_is_there_again(runs: Runs, until: Callable[..., Any]) -> None:
    runs.begin()
    made = runs.mappings.create(replace(settings(runs.cloud, batch_size=7), uuid="own"))
    runs.put("a")
    until(lambda: runs.mappings.find()[0].last_result == "OK")
    runs.again()
    runs.put("b")

    assert runs.begin() == []

    [again] = runs.mappings.find()
    assert again.settings == made.settings
    until(lambda: runs.seen() == ["a", "b"])


def test_a_change_at_run_time_outlives_a_start_of_the_same_template(runs: Runs) -> None:
    runs.template()
    runs.begin()
    [mapping] = runs.mappings.find()
    runs.mappings.change(mapping, replace(mapping.settings, enabled=False, filters=('{"data": {"a": [1]}}',)))
    runs.again()

    runs.template()
    runs.begin()

    [again] = runs.mappings.find()
    assert again.settings == mapping.settings
    assert not again.settings.enabled


def test_another_template_counts_more_than_a_change_at_run_time(runs: Runs) -> None:
    runs.template()
    runs.begin()
    [mapping] = runs.mappings.find()
    runs.mappings.change(mapping, replace(mapping.settings, batch_size=3))
    runs.again()

    runs.template(batch_size=50)
    runs.begin()

    assert runs.mappings.find()[0].settings.batch_size == 50


def test_a_mapping_that_was_deleted_at_run_time_stays_deleted(runs: Runs) -> None:
    made = runs.template()
    runs.begin()
    runs.mappings.delete(made.uuid)
    runs.again()

    runs.template()
    assert runs.begin() == []

    assert runs.mappings.find() == []


def test_a_mapping_that_the_template_has_no_more_is_named_and_its_place_kept(
    runs: Runs, until: Callable[..., Any]
) -> None:
    made = runs.template()
    runs.begin()
    runs.put("a")
    until(lambda: runs.mappings.find()[0].last_result == "OK")
    runs.again()
    assert runs.begin() == [f"event source mapping {made.uuid}"]
    runs.put("b")
    runs.again()

    runs.template()
    runs.begin()

    until(lambda: runs.seen() == ["a", "b"])


def test_a_mapping_whose_function_is_gone_is_named(runs: Runs) -> None:
    runs.begin()
    runs.mappings.create(replace(settings(runs.cloud), uuid="own"))
    runs.cloud.functions.remove("consume")
    runs.again()

    assert runs.begin() == ["event source mapping own"]


def test_a_stream_that_is_made_anew_is_read_from_its_start(runs: Runs, until: Callable[..., Any]) -> None:
    runs.template(starting_position="TRIM_HORIZON")
    runs.begin()
    runs.put("old")
    until(lambda: runs.seen() == ["old"])
    kinesis = runs.cloud.client("kinesis")
    kinesis.delete_stream(StreamName="faces")
    until(lambda: kinesis.list_streams()["StreamNames"] == [])
    kinesis.create_stream(StreamName="faces", ShardCount=1)
    until(lambda: kinesis.list_streams()["StreamNames"] == ["faces"])

    runs.put("new")

    until(lambda: runs.seen() == ["old", "new"])


def test_a_mapping_of_a_queue_is_there_again(runs: Runs) -> None:
    runs.cloud.client("sqs").create_queue(QueueName="work")
    runs.begin()
    queue = runs.cloud.arn("sqs", "work")
    wanted = replace(settings(runs.cloud, starting_position=""), uuid="own", source_arn=queue, batch_size=5)
    runs.mappings.create(replace(wanted, maximum_concurrency=3))
    runs.again()

    assert runs.begin() == []

    assert runs.mappings.find()[0].settings == replace(wanted, maximum_concurrency=3)
