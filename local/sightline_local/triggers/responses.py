"""What a function's answer says about the records of its batch."""

import json
from collections.abc import Sequence
from typing import Any

from sightline_local.triggers.records import StreamRecord

WHOLE_BATCH = 0


def lowest_failure(payload: bytes, records: Sequence[StreamRecord]) -> int | None:
    """The index of the lowest failed record in a partial batch response; None when all succeeded.

    An identifier that is empty, null or none of the batch's fails the whole batch, as AWS documents it.
    """
    try:
        response = json.loads(payload or b"null")
    except ValueError:
        return WHOLE_BATCH
    if response is None:
        return None
    failures = response.get("batchItemFailures") if isinstance(response, dict) else response
    if failures is None or failures == []:
        return None
    if not isinstance(failures, list):
        return WHOLE_BATCH
    position = {str(record.sequence): index for index, record in enumerate(records)}
    return min(position.get(_identifier(failure), WHOLE_BATCH) for failure in failures)


def _identifier(failure: Any) -> str:
    return str(failure.get("itemIdentifier")) if isinstance(failure, dict) else ""
