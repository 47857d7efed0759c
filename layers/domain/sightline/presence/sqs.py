"""The queue of records that cannot be read."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sightline.clock import to_iso
from sightline.errors import UnavailableError
from sightline.outages import any_failure_means_later
from sightline.parking import ParkedRecord

MESSAGES_AT_ONCE = 10  # of SendMessageBatch
# All messages of a call have 256 KB together; base64 makes four bytes of three.
MOST_PAYLOAD_BYTES = 150_000
_ROOM = 240_000


@dataclass(frozen=True, slots=True)
class SqsSetAside:
    """`client` is a boto3 SQS client. A record that comes again is sent again, with its sequence number."""

    client: Any
    queue_url: str

    def park(self, records: Sequence[ParkedRecord]) -> None:
        batch: list[str] = []
        for body in map(_body, records):
            if len(batch) == MESSAGES_AT_ONCE or sum(map(len, batch)) + len(body) > _ROOM:
                self._send(batch)
                batch = []
            batch.append(body)
        if batch:
            self._send(batch)

    def _send(self, bodies: Sequence[str]) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        with any_failure_means_later("the queue of presence failures"):
            answer = self.client.send_message_batch(QueueUrl=self.queue_url, Entries=entries)
        if failed := answer.get("Failed"):
            raise UnavailableError(f"the queue of presence failures refused: {failed[0].get('Code')}")


def _body(record: ParkedRecord) -> str:
    """ASCII, so that its length is its size."""
    return json.dumps(
        {
            "stream": record.stream,
            "sequence_number": record.sequence_number,
            "reason": record.reason[:1000],
            "parked_at": to_iso(record.parked_at),
            "payload": b64encode(record.payload[:MOST_PAYLOAD_BYTES]).decode(),
            # A queue takes less than a stream does: of larger records it has the begin.
            "payload_bytes": len(record.payload),
        }
    )
