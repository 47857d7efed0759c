"""The gate: who passes while a runtime restores its state."""

from threading import Event, Thread
from typing import Any

from sightline_local.cloud.gate import Gate


def passes(gate: Gate, user_agent: str = "Boto3/1", *, lent: bool = False, path: str = "/") -> bool:
    """Whether a request goes on at once; one that waits goes on when the gate is opened."""
    passed, environ = Event(), dict[str, Any]({"HTTP_USER_AGENT": user_agent, "PATH_INFO": path})

    def ask() -> None:
        gate.wait(environ, lent=lent)
        passed.set()

    Thread(target=ask, daemon=True).start()
    return passed.wait(0.05)


def test_while_it_deploys_only_the_runtime_and_its_functions_pass() -> None:
    gate = Gate()
    gate.close()

    assert not gate.is_open
    assert passes(gate, f"Boto3/1 {gate.word}")
    assert passes(gate, lent=True)
    assert not passes(gate)


def test_while_it_deploys_the_answers_of_custom_resources_pass() -> None:
    gate = Gate()
    gate.close()
    answer = "/cloudformation-custom-resource-response-useast1/key"

    assert passes(gate, path=answer)
    gate.only_the_runtime()
    assert not passes(gate, path=answer)


def test_while_it_restores_only_the_runtime_passes() -> None:
    gate = Gate()
    gate.close()
    gate.only_the_runtime()

    assert passes(gate, f"Boto3/1 {gate.word}")
    assert not passes(gate, lent=True)


def test_whoever_waited_goes_on_when_it_opens() -> None:
    gate = Gate()
    gate.close()
    waited = Event()

    def ask() -> None:
        gate.wait({}, lent=False)
        waited.set()

    Thread(target=ask, daemon=True).start()
    assert not waited.wait(0.05)
    gate.open()

    assert waited.wait(5)
    assert gate.is_open


def test_it_is_open_from_the_start() -> None:
    assert Gate().is_open
