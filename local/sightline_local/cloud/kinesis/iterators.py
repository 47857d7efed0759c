"""Shard iterators: where a reader goes on; they say so themselves, and are good for five minutes."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from sightline_local.cloud.service import ServiceError

_GOOD_FOR_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Iterator:
    """Everything after this sequence number of a shard. `incarnation` tells a stream from its namesakes."""

    stream: str
    incarnation: float
    shard_id: str
    after: int
    issued_at: float

    def token(self) -> str:
        said = [self.stream, self.incarnation, self.shard_id, str(self.after), self.issued_at]
        return urlsafe_b64encode(json.dumps(said).encode()).decode()


def read_iterator(token: str, now: float) -> Iterator:
    """InvalidArgumentException for what is none, ExpiredIteratorException for one that is too old."""
    try:
        stream, incarnation, shard_id, after, issued_at = json.loads(urlsafe_b64decode(token))
        iterator = Iterator(stream, incarnation, shard_id, int(after), issued_at)
    except (binascii.Error, ValueError, TypeError) as error:
        raise ServiceError("InvalidArgumentException", "Invalid ShardIterator.") from error
    if now - iterator.issued_at > _GOOD_FOR_SECONDS:
        raise ServiceError(
            "ExpiredIteratorException",
            f"Iterator expired. The iterator was created at time {iterator.issued_at} while right now it is "
            f"{now} which is further in the future than the tolerated delay of 300000 milliseconds.",
        )
    return iterator
