"""Partition keys by jq and by function, and which jq it is."""

from typing import Any

import pytest

from sightline_local.cloud.firehose.partitions import NoPartition, Partitioner, compiled
from sightline_local.cloud.firehose.prefix import read_prefixes
from sightline_local.cloud.firehose.records import DIRECT, Record
from sightline_local.cloud.service import ServiceError


def values(query: str | None, prefix: str, data: bytes, keys: Any = None) -> tuple[str, ...]:
    read, _ = read_prefixes(prefix, "errors/!{firehose:error-output-type}/", partitioned=True)
    return Partitioner(read, query).values(Record(DIRECT, 1, data, 0.0, keys=keys))


def test_keys_of_query_and_function_stand_side_by_side() -> None:
    prefix = "!{partitionKeyFromLambda:site}/!{partitionKeyFromQuery:n}/!{partitionKeyFromQuery:ok}/"
    found = values("{n: .n, ok: .ok, more: 1}", prefix, b'{"n": 7, "ok": true}', {"site": "north"})
    assert found == ("north", "7", "true")


@pytest.mark.parametrize(
    "data",
    [b'{"x": null}', b'{"x": ""}', b"{}", b'{"x": [1]}', b'{"x": {}}', b"no json", b"\xff", b"", b"[1]"],
)
def test_a_record_without_a_plain_value_has_no_partition(data: bytes) -> None:
    with pytest.raises(NoPartition):
        values("{x: .x}", "!{partitionKeyFromQuery:x}/", data)


@pytest.mark.parametrize("query", [".x", "empty", "error"])
def test_a_query_must_give_an_object(query: str) -> None:
    with pytest.raises(NoPartition):
        values(query, "!{partitionKeyFromQuery:x}/", b'{"x": "y"}')


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("{x: .x", "not a valid jq query"),
        ("{x: (if .x then 1 end)}", "no if without else"),
        ("{x: (.x | trim)}", "does not know trim"),
        ("pick(.x)", "does not know pick"),
        ('{x: (.x | @urid "\\(.)")}', "does not know @urid"),
        ("{x: env.HOME}", "does not emulate env"),
        ("{x: $ENV.HOME}", "does not emulate $ENV"),
        ("{x: input}", "does not emulate input"),
    ],
)
def test_what_jq_1_6_does_not_know_is_refused(query: str, problem: str) -> None:
    with pytest.raises(ServiceError) as refusal:
        compiled(query)
    assert problem in refusal.value.message


@pytest.mark.parametrize(
    "query",
    [
        "{pick: .pick, skip: .env.input, trims: .x}",
        '{x: "if trim \\" env"}',
        "{x: (if .x then .x else .input end), y: (if .a then 1 elif .b then 2 else 3 end)}",
        '{dt: (.at | strftime("%Y-%m-%d")), camera: (.arn | split("/")[1])}',
    ],
)
def test_what_jq_1_6_knows_is_not_mistaken(query: str) -> None:
    compiled(query)
