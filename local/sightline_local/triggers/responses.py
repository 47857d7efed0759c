"""What a function's answer says about the records of its batch.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

import json
from collections.abc import Sequence
from typing import Any

from sightline_local.triggers.records import StreamRecord

WHOLE_BATCH = 0


def lowest_failure(payload: bytes, records: Sequence[StreamRecord]) -> int | None:
    """The index of the lowest failed record in a partial batch response; None when all succeeded."""
    return min(failures(payload, [str(record.sequence) for record in records]), default=None)


def failures(payload: bytes, identifiers: Sequence[str]) -> set[int]:
    """The indexes of the failed items in a partial batch response.

    An identifier that is empty, null or none of the batch's fails the whole batch, as AWS documents it.
    """
    whole = set(range(len(identifiers)))
    try:
        response = json.loads(payload or b"null")
    except (ValueError, RecursionError):
        return whole
    if response is None:
        return set()
    reported = response.get("batchItemFailures") if isinstance(response, dict) else response
    if reported is None or reported == []:
        return set()
    if not isinstance(reported, list):
        return whole
    position = {identifier: index for index, identifier in enumerate(identifiers)}
    failed = {position.get(_identifier(failure)) for failure in reported}
    return whole if None in failed else {index for index in failed if index is not None}


def _identifier(failure: Any) -> str:
    return str(failure.get("itemIdentifier")) if isinstance(failure, dict) else ""
