"""The lake: every sighting once it was written lies there as Parquet, and what is none beside it."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from tests.integration.analytics.conftest import NO_SIGHTINGS, Lake

MOMENTS = ("seen_at", "server_timestamp", "producer_timestamp", "recorded_at")


def in_the_lake(row: dict[str, Any]) -> dict[str, Any]:
    """The same row with its moments as SQL has them, and the day of its folder."""
    moments = {
        name: datetime.fromisoformat(row[name]).astimezone(UTC).replace(tzinfo=None) for name in MOMENTS
    }
    return row | moments | {"dt": row["seen_at"][:10]}


def test_every_row_of_the_stream_is_in_the_lake_with_every_value(lake: Lake) -> None:
    answer = lake.ask("SELECT * FROM sightings")

    found = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    order = repr
    assert sorted(found, key=order) == sorted(map(in_the_lake, lake.rows), key=order)


def test_the_columns_are_the_members_of_the_row_in_its_order(lake: Lake) -> None:
    answer = lake.ask("SELECT * FROM sightings LIMIT 1")

    assert answer.columns == (*lake.rows[0], "dt")


def test_a_file_has_one_day_and_one_site_and_says_so_in_its_folder(lake: Lake) -> None:
    folders = {key.rpartition("/")[0] for key in lake.keys if key.startswith("sightings/")}

    expected = {f"sightings/dt={row['seen_at'][:10]}/site={row['site'] or 'none'}" for row in lake.rows}
    assert folders == expected
    assert all(key.endswith(".parquet") for key in lake.keys if key.startswith("sightings/"))


def test_what_is_no_sighting_is_kept_as_an_error_and_takes_nothing_with_it(lake: Lake) -> None:
    errors = [key for key in lake.keys if key.startswith("errors/")]

    documents = [json.loads(line) for key in errors for line in lake.content(key).splitlines()]
    assert {key.split("/")[1] for key in errors} == {"processing-failed", "format-conversion-failed"}
    assert sorted(base64.b64decode(each["rawData"]) for each in documents) == sorted(NO_SIGHTINGS)


def test_the_parameters_of_the_template_reach_firehose(lake: Lake) -> None:
    described = lake.stack.client("firehose").describe_delivery_stream(
        DeliveryStreamName=lake.stack.output("LakeStreamName")
    )["DeliveryStreamDescription"]

    (destination,) = described["Destinations"]
    s3 = destination["ExtendedS3DestinationDescription"]
    assert s3["BufferingHints"] == {"SizeInMBs": 128, "IntervalInSeconds": 300}
    assert described["Source"]["KinesisStreamSourceDescription"]["KinesisStreamARN"].endswith(
        lake.stack.output("SightingsStreamName")
    )


def test_athena_is_told_where_the_files_of_a_day_are(lake: Lake) -> None:
    table = lake.stack.client("glue").get_table(
        DatabaseName=lake.stack.output("LakeDatabaseName"), Name="sightings"
    )["Table"]

    place = table["Parameters"]["storage.location.template"]
    found = {key.rpartition("/site=")[0] for key in lake.keys if key.startswith("sightings/")}
    days = {row["seen_at"][:10] for row in lake.rows}
    bucket = f"s3://{lake.stack.output('LakeBucketName')}/"
    assert [key["Name"] for key in table["PartitionKeys"]] == ["dt"]
    assert {place.replace("${dt}", day).removeprefix(bucket).rstrip("/") for day in days} == found
