"""What moto's queues tell nobody."""

from collections.abc import Callable
from typing import Any

from moto.sqs import models as sqs_models

from sightline_local.cloud.patches import original_of, replace


def tell_of_messages(
    arrives: Callable[[Any, Any], None],
    received: Callable[[str, list[Any]], None],
    ends: Callable[[list[Any]], None],
) -> None:
    """Moto tells nobody what its queues take in, hand out and lose.

    `arrives(queue, message)` comes before anybody sees the message, `received(queue name, copies)` before
    they are handed out, `ends(messages)` when they are deleted; what they raise, the caller gets.
    """
    queue, backend = sqs_models.Queue, sqs_models.SQSBackend
    add, delete = original_of(queue, "add_message"), original_of(queue, "delete_message")
    receive, purge = original_of(backend, "receive_message"), original_of(backend, "purge_queue")
    remove = original_of(backend, "delete_queue")

    def add_message(self: Any, message: Any) -> None:
        arrives(self, message)
        add(self, message)

    def delete_message(self: Any, receipt_handle: str) -> None:
        ends([each for each in list(self._messages) if each.had_receipt_handle(receipt_handle)])
        delete(self, receipt_handle)

    def receive_message(self: Any, queue_name: str, *rest: Any, **more: Any) -> list[Any]:
        messages: list[Any] = receive(self, queue_name, *rest, **more)
        received(queue_name, messages)
        return messages

    def purge_queue(self: Any, queue_name: str) -> None:
        ends(list(self.get_queue(queue_name)._messages))
        purge(self, queue_name)

    def delete_queue(self: Any, queue_name: str) -> None:
        ends(list(self.get_queue(queue_name)._messages))
        remove(self, queue_name)

    for owner, patched in (
        (queue, add_message),
        (queue, delete_message),
        (backend, receive_message),
        (backend, purge_queue),
        (backend, delete_queue),
    ):
        replace(owner, patched.__name__, patched)
