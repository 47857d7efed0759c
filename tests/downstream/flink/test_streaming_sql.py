"""The streaming SQL against its oracle, with the real connector, the local Kinesis and the job's own role."""

from collections.abc import Iterator
from typing import Any

import pytest

from sightline_cli.downstream import flink
from sightline_cli.downstream.flink import FlinkJob
from sightline_local.runtime import Runtime
from tests.downstream.flink.expected import expected, well_formed
from tests.downstream.flink.sent import MALFORMED, hour
from tests.downstream.flink.streams import OPTIONS, Streams, of_query

QUERIES = (
    "people_per_minute",
    "busiest_devices",
    "journeys",
    "late_sightings",
    "malformed_records",
    "crowding",
)
pytestmark = pytest.mark.timeout(600)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def answered(flink_home: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    """What the job has written when the hour was sent while it ran, and it was drained at once."""
    folder = tmp_path_factory.mktemp("flink")
    with Runtime(OPTIONS) as runtime:
        streams = Streams(runtime)
        with FlinkJob(flink.properties(runtime), flink.environment(runtime), folder) as job:
            job.wait_running()
            streams.send(hour())
            job.drain()
        report = runtime.iam_report()
        assert not report.denied
        (role,) = (each for each in report.roles if runtime.outputs["StreamingSqlRoleArn"] == each.arn)
        assert not [*role.lines()], "the role may do what the job never does"
        yield streams.results()


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_answers_what_its_oracle_says_to_the_row(answered: Rows, query: str) -> None:
    wanted = of_query(expected(hour()), query)

    assert of_query(answered, query) == wanted
    assert wanted, "nothing was to be proven"


def test_there_are_no_rows_but_of_these_queries(answered: Rows) -> None:
    assert {row["query"] for row in answered} == {*QUERIES}


def test_every_sighting_is_counted_once_or_told_to_be_late(answered: Rows) -> None:
    counted = sum(row["sightings"] for row in answered if row["query"] == "people_per_minute")
    late = len(of_query(answered, "late_sightings"))

    assert counted + late == len({each.id for each in well_formed(hour())})


def test_every_malformed_record_is_a_row_with_its_reason(answered: Rows) -> None:
    reasons = [row["reason"] for row in answered if row["query"] == "malformed_records"]

    assert sorted(reasons) == sorted(MALFORMED.values())
