"""Where the files of partitions lie: Athena's partition projection."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from sightline_local.cloud.athena.catalog import Column, Table
from sightline_local.cloud.athena.errors import QueryFailed
from sightline_local.cloud.athena.partitions import Projection
from sightline_local.cloud.athena.statement import TableName

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DAYS = {"projection.dt.type": "date", "projection.dt.format": "yyyy-MM-dd"}


def projection(parameters: Mapping[str, str], *keys: str) -> Projection:
    columns = tuple(Column(key, "string", "VARCHAR") for key in keys or ("dt",))
    return Projection(Table(TableName("lake", "t"), (), columns, "s3://lake/t/", parameters), NOW)


@pytest.mark.parametrize(
    ("days", "value", "is_known"),
    [
        ("2020-01-01,NOW+1DAYS", "2026-11-23", True),
        ("2020-01-01,NOW+1DAYS", "2026-11-24", False),
        ("2020-01-01,NOW", "2019-12-31", False),
        ("NOW-3YEARS,NOW", "2023-11-24", True),
        ("NOW-2WEEKS, NOW", "2026-11-07", False),
        ("2020-01-01,NOW", "2026-1-1", False),
        ("2020-01-01,NOW", "2026-02-30", False),
    ],
)
def test_days_are_known_within_their_range(days: str, value: str, is_known: bool) -> None:
    places = projection({**DAYS, "projection.dt.range": days})

    assert (places.values(f"s3://lake/t/dt={value}/site=a/1.parquet") is not None) == is_known


def test_a_template_says_where_partitions_lie_and_the_table_where_they_begin() -> None:
    places = projection(
        {
            **DAYS,
            "projection.dt.range": "2020-01-01,NOW",
            "projection.query.type": "enum",
            "projection.query.values": "people, journeys",
            "storage.location.template": "s3://lake/streaming/${query}/on/${dt}",
        },
        "query",
        "dt",
    )

    assert places.prefix == "s3://lake/streaming/"
    assert places.values("s3://lake/streaming/people/on/2026-11-22/x") == ("people", "2026-11-22")
    assert places.values("s3://lake/streaming/others/on/2026-11-22/x") is None
    assert places.values("s3://lake/streaming/people/2026-11-22/x") is None
    assert places.place(("journeys", "2026-11-21")) == "s3://lake/streaming/journeys/on/2026-11-21/"


def test_whole_numbers_and_injected_values_are_known_too() -> None:
    parameters = {
        "projection.n.type": "integer",
        "projection.n.range": "1,12",
        "projection.d.type": "injected",
    }
    places = projection(parameters, "n", "d")

    assert places.values("s3://lake/t/n=12/d=gate 3/x") == ("12", "gate 3")
    assert places.values("s3://lake/t/n=13/d=gate 3/x") is None
    assert places.values("s3://lake/t/n=one/d=gate 3/x") is None


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"projection.dt.type": "magic"},
        {"projection.dt.type": "date", "projection.dt.format": "EEE", "projection.dt.range": "NOW,NOW"},
        {**DAYS, "projection.dt.range": "NOW-1MOONS,NOW"},
    ],
)
def test_what_is_not_emulated_is_refused_by_name(parameters: dict[str, str]) -> None:
    with pytest.raises(QueryFailed, match="the local Athena does not know"):
        projection(parameters)
