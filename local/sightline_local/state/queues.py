"""SQS: messages from the moment they are sent until they are deleted."""

import itertools
import time
from typing import Any

from moto.sqs.models import Message, sqs_backends

from sightline_local.cloud.patches import queues
from sightline_local.state.encoding import decode, encode, simple_attributes
from sightline_local.state.facts import Facts

_MESSAGE, _RECEIVED = "sqs.message", "sqs.received"
_NOT_KEPT = frozenset({"receipt_handle", "visible_at", "approximate_receive_count"})


class Queues:
    """Each message is a fact of its own, whatever queue it is in: a redrive moves it in one step.

    After a restart a message that was being worked on can be received again at once; the receipt handle that
    was handed out last still deletes it.
    """

    def __init__(self, facts: Facts, account: str, region: str) -> None:
        self._facts = facts
        self._account = account
        self._region = region
        self._order = itertools.count(time.time_ns())

    def install(self) -> None:
        queues.tell_of_messages(self._arrives, self._received, self._end)

    def restore(self) -> list[str]:
        received = dict(self._facts.all(_RECEIVED))
        messages = [(decode(fact), fact_key) for fact_key, fact in self._facts.all(_MESSAGE)]
        homeless, over = set(), []
        for kept, message_id in sorted(messages, key=lambda message: int(message[0]["order"])):
            queue = self._queues().get(kept["queue"])
            if queue is None:
                homeless.add(f"queue {kept['queue']}")
            elif _is_over(queue, kept["values"]["sent_timestamp"]):
                over.append(message_id)
            else:
                queue._messages.append(  # noqa: SLF001  add_message would take it for a new one
                    _message(message_id, kept, received.get(message_id))
                )
        self._forget(over)
        return sorted(homeless)

    def begin(self) -> None: ...

    def _queues(self) -> Any:
        return sqs_backends[self._account][self._region].queues

    def _arrives(self, queue: Any, message: Any) -> None:
        values = {name: value for name, value in simple_attributes(message).items() if name not in _NOT_KEPT}
        kept = {
            "queue": queue.name,
            "order": next(self._order),
            "values": values,
            "attributes": message.message_attributes,
            "system": message.system_attributes,
        }
        self._facts.put(_MESSAGE, message.id, encode(kept))

    def _received(self, _queue_name: str, copies: list[Any]) -> None:
        now = [
            (copy.id, encode([copy.approximate_receive_count, copy.receipt_handle, _first(copy)]))
            for copy in copies
        ]
        if now:
            self._facts.put_many(_RECEIVED, now)

    def _end(self, messages: list[Any]) -> None:
        if messages:
            self._forget([message.id for message in messages])

    def _forget(self, message_ids: list[str]) -> None:
        with self._facts.transaction():
            self._facts.delete(_MESSAGE, message_ids)
            self._facts.delete(_RECEIVED, message_ids)


def _first(message: Any) -> int | None:
    first: int | None = message.approximate_first_receive_timestamp
    return first


def _message(message_id: str, kept: dict[str, Any], received: bytes | None) -> Message:
    message = Message(message_id, kept["values"]["body"], kept["system"])
    vars(message).update(kept["values"])
    message.message_attributes = kept["attributes"]
    if received is not None:
        count, handle, first = decode(received)
        message.approximate_receive_count, message.receipt_handle = count, handle
        message.approximate_first_receive_timestamp = first
    return message


def _is_over(queue: Any, sent_milliseconds: int) -> bool:
    return sent_milliseconds / 1000 + int(queue.message_retention_period) < time.time()
