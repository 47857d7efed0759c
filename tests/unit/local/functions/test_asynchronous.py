"""Invocations that nobody waits for."""

from collections.abc import Callable
from queue import Empty, SimpleQueue

import pytest

from sightline_local.functions.asynchronous import AsyncInvocations
from sightline_local.functions.spec import FunctionNotFound, InvokeResult


class FakeFunctions:
    """Fails as often as it is told; notes every attempt."""

    def __init__(self, failures: int, error: Callable[[], Exception] | None = None) -> None:
        self._failures = failures
        self._error = error
        self.attempts: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    def invoke(self, name: str, payload: bytes) -> InvokeResult:
        self.attempts.put((name, payload))
        self._failures -= 1
        if self._failures >= 0 and self._error:
            raise self._error()
        return InvokeResult(b"{}", error=self._failures >= 0, request_id="r")

    def count(self) -> int:
        """Wait for attempts until there are no more."""
        number = 0
        while True:
            try:
                self.attempts.get(timeout=0.3)
            except Empty:
                return number
            number += 1


@pytest.mark.parametrize(("failures", "attempts"), [(0, 1), (1, 2), (2, 3), (9, 3)])
def test_a_failed_invocation_is_tried_again_twice(failures: int, attempts: int) -> None:
    functions = FakeFunctions(failures)
    invocations = AsyncInvocations(functions.invoke, retry_after_seconds=(0.01, 0.01))

    invocations.submit("f", b"{}")

    assert functions.count() == attempts
    invocations.close()


def test_a_function_that_is_not_there_counts_as_failed() -> None:
    functions = FakeFunctions(1, error=lambda: FunctionNotFound("f"))
    invocations = AsyncInvocations(functions.invoke, retry_after_seconds=(0.01, 0.01))

    invocations.submit("f", b"{}")

    assert functions.count() == 2
    invocations.close()


def test_closing_forgets_what_waits_for_a_retry() -> None:
    functions = FakeFunctions(9)
    invocations = AsyncInvocations(functions.invoke, retry_after_seconds=(0.2, 0.2))
    invocations.submit("f", b"{}")
    functions.attempts.get(timeout=5)

    invocations.close()

    assert functions.count() == 0
    invocations.submit("f", b"{}")
    assert functions.count() == 0
