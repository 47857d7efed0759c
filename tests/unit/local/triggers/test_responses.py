"""Partial batch responses, as AWS documents them."""

import json
from typing import Any

import pytest

from sightline_local.triggers.records import StreamRecord
from sightline_local.triggers.responses import failures as failed_indexes
from sightline_local.triggers.responses import lowest_failure

RECORDS = [StreamRecord("shard", sequence, "k", "", 0.0) for sequence in (11, 12, 13)]


def answered(value: Any) -> int | None:
    return lowest_failure(json.dumps(value).encode(), RECORDS)


def failures(*identifiers: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.mark.parametrize("value", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_no_failures_mean_success(value: Any) -> None:
    assert answered(value) is None


def test_an_empty_answer_means_success() -> None:
    assert lowest_failure(b"", RECORDS) is None


def test_the_lowest_failed_record_counts() -> None:
    assert answered(failures("13", "12")) == 1


@pytest.mark.parametrize(
    "value",
    [
        failures(""),
        failures(None),
        failures("99"),
        failures("13", ""),
        {"batchItemFailures": [{"wrongKey": "12"}]},
        {"batchItemFailures": ["12"]},
        {"batchItemFailures": "12"},
        "done",
    ],
)
def test_an_answer_that_names_no_record_fails_the_whole_batch(value: Any) -> None:
    assert answered(value) == 0


def test_an_answer_that_is_no_json_fails_the_whole_batch() -> None:
    assert lowest_failure(b"<html>", RECORDS) == 0


def test_of_a_queue_every_named_message_fails_and_no_other() -> None:
    payload = json.dumps(failures("b", "c")).encode()

    assert failed_indexes(payload, ["a", "b", "c"]) == {1, 2}


def test_of_a_queue_an_unknown_message_fails_the_whole_batch() -> None:
    assert failed_indexes(json.dumps(failures("x")).encode(), ["a", "b"]) == {0, 1}
