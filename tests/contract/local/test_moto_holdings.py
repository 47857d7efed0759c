"""The patches that tell the data directory what moto holds: that each is needed, and what it is for."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from moto.cognitoidp.models import cognitoidp_backends
from moto.core.base_backend import BackendDict
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from sightline_local.cloud import patches
from sightline_local.cloud.patches import calls, executions, queues, topics, users

ACCOUNT, REGION = "123456789012", "us-east-1"
ENDS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})


@pytest.fixture(autouse=True)
def _moto_as_it_came() -> Iterator[None]:
    patches.undo()
    BackendDict.reset()
    yield
    patches.undo()
    BackendDict.reset()


class Heard:
    """What was told, and in which order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def arrives(self, queue: Any, message: Any) -> None:
        assert message not in queue._messages
        self.told.append(("arrives", (queue.name, message.body)))

    def received(self, queue_name: str, copies: list[Any]) -> None:
        self.told.append(("received", (queue_name, [copy.approximate_receive_count for copy in copies])))

    def ends(self, messages: list[Any]) -> None:
        self.told.append(("ends", [message.body for message in messages]))


@pytest.fixture
def heard() -> Heard:
    heard = Heard()
    queues.tell_of_messages(heard.arrives, heard.received, heard.ends)
    return heard


def test_queues_tell_what_they_take_in_hand_out_and_lose(heard: Heard) -> None:
    sqs = sqs_backends[ACCOUNT][REGION]
    sqs.create_queue("q", None)
    for body in ("1", "2", "3"):
        sqs.send_message("q", body)
    first = sqs.receive_message("q", 1, 0, 30)[0]
    sqs.delete_message("q", first.receipt_handle)
    sqs.purge_queue("q")
    sqs.delete_queue("q")

    assert heard.told == [
        *(("arrives", ("q", body)) for body in ("1", "2", "3")),
        ("received", ("q", [1])),
        ("ends", ["1"]),
        ("ends", ["2", "3"]),
        ("ends", []),
    ]


def test_a_redrive_tells_of_the_arrival_in_the_other_queue(heard: Heard) -> None:
    sqs = sqs_backends[ACCOUNT][REGION]
    dead = sqs.create_queue("dead", None)
    sqs.create_queue("q", None, RedrivePolicy={"deadLetterTargetArn": dead.queue_arn, "maxReceiveCount": 1})
    sqs.send_message("q", "1")
    for _ in range(2):
        sqs.receive_message("q", 1, 0, 0)
        time.sleep(0.002)  # visible again a millisecond later

    assert ("arrives", ("dead", "1")) in heard.told


def test_a_message_that_cannot_be_kept_is_not_sent() -> None:
    def full(_queue: Any, _message: Any) -> None:
        raise OSError

    queues.tell_of_messages(full, lambda _name, _copies: None, lambda _messages: None)
    sqs = sqs_backends[ACCOUNT][REGION]
    sqs.create_queue("q", None)

    with pytest.raises(OSError):
        sqs.send_message("q", "1")

    assert sqs.receive_message("q", 1, 0, 30) == []


def subscription_arn(endpoint: str) -> str:
    sns = sns_backends[ACCOUNT][REGION]
    return str(sns.subscribe(sns.create_topic("t").arn, endpoint, "email").arn)


def test_a_subscription_has_the_same_arn_at_every_start() -> None:
    topics.name_subscriptions_as_they_are()
    first, other = subscription_arn("a@example.com"), subscription_arn("b@example.com")
    BackendDict.reset()

    assert subscription_arn("a@example.com") == first
    assert first != other
    assert first.startswith(f"arn:aws:sns:{REGION}:{ACCOUNT}:t:")


def test_moto_alone_gives_another_arn_at_every_start() -> None:
    first = subscription_arn("a@example.com")
    BackendDict.reset()

    assert subscription_arn("a@example.com") != first


def pool_and_client(name: str) -> tuple[str, str]:
    cognito = cognitoidp_backends[ACCOUNT][REGION]
    pool = cognito.create_user_pool(name, {"Policies": {}})
    client = cognito.create_user_pool_client(pool.id, False, {"ClientName": "app"})
    return pool.id, client.id


def test_pools_and_clients_have_the_same_ids_at_every_start_and_never_another_s() -> None:
    users.name_pools_alike_at_every_start()
    first, twin, other = pool_and_client("p"), pool_and_client("p"), pool_and_client("q")
    BackendDict.reset()

    assert pool_and_client("p") == first
    assert len({first, twin, other}) == 3
    assert first[0].startswith(f"{REGION}_")
    assert first[1].isalnum()


def test_moto_alone_makes_other_ids_at_every_start() -> None:
    first = pool_and_client("p")
    BackendDict.reset()

    assert pool_and_client("p") != first


def execution() -> Any:
    calls.run_state_machines()
    states = stepfunctions_parser_backends[ACCOUNT][REGION]
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    machine = states.create_state_machine("m", ENDS, role, [], None, {}, {}, {}, None, "STANDARD")
    return states.start_execution(machine.arn, "one", "{}")


def test_executions_tell_that_they_start_and_how_they_ended() -> None:
    told: list[tuple[str, Any]] = []
    executions.tell_of_executions(
        lambda one: told.append(("started", one.exec_worker)),
        lambda one: told.append(("ended", str(one.exec_status.value))),
    )
    execution()
    deadline = time.monotonic() + 5
    while len(told) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert told == [("started", None), ("ended", "SUCCEEDED")]


def test_an_execution_that_cannot_be_kept_does_not_run() -> None:
    def full(_execution: Any) -> None:
        raise OSError("no space")

    executions.tell_of_executions(full, lambda _execution: None)

    with pytest.raises(OSError, match="no space"):
        execution()

    machine = stepfunctions_parser_backends[ACCOUNT][REGION].state_machines[0]
    assert [(one.status, one.cause) for one in machine.executions] == [("FAILED", "no space")]
