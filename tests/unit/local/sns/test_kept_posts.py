"""Notifications for web servers with a data directory: what was published arrives, also after a restart."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.sns.models import sns_backends

from sightline_local.clock import Clock, Timetable
from sightline_local.cloud.sns import Signer
from sightline_local.cloud.sns.delivery import DeliveryRefused
from sightline_local.cloud.sns.documents import Documents
from sightline_local.cloud.sns.endpoints import WebEndpoints
from sightline_local.cloud.sns.message import Message
from sightline_local.state import Facts, FactsNotKeptError

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
ARN = f"{TOPIC}:1"
MESSAGE = Message(
    "m-1", TOPIC, "hello", "Ada", {"n": {"Type": "Number", "Value": "1"}}, NOON, {"default": "d"}
)
REDRIVE = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"}'


class FakeWeb:
    """Stands in for the connection pool: remembers requests, answers with these statuses and then 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.posts: list[tuple[str, bytes, dict[str, str]]] = []
        self.arrived = threading.Semaphore(0)

    def request(self, _method: str, url: str, *, body: bytes, headers: dict[str, str], **_: object) -> Any:
        self.posts.append((url, body, headers))
        self.arrived.release()
        return SimpleNamespace(status=self.statuses.pop(0) if self.statuses else 200)

    def clear(self) -> None: ...


class OneStart:
    def __init__(self, facts: Facts, now: datetime, web: FakeWeb) -> None:
        self.facts = facts
        self.web = web
        self.clock = Clock(lambda: now)
        self.timetable = Timetable(self.clock)
        self.given_up: list[tuple[Message, str, str]] = []
        self.buried = threading.Semaphore(0)
        documents = Documents(Signer("http://aws", facts), "http://aws")
        self.endpoints = WebEndpoints(documents, self.timetable, self._give_up, facts)
        self.endpoints._pool = web  # type: ignore[assignment]
        self.endpoints.restore()

    def _give_up(self, message: Message, subscriber: Any, _version: str, refusal: DeliveryRefused) -> None:
        self.given_up.append((message, subscriber.attributes["RedrivePolicy"], refusal.code))
        self.buried.release()

    def begin(self) -> None:
        self.endpoints.begin()

    def wait_for_post(self) -> tuple[str, bytes, dict[str, str]]:
        assert self.web.arrived.acquire(timeout=5)
        return self.web.posts[-1]

    def is_quiet(self) -> bool:
        return not self.web.arrived.acquire(timeout=0.1)

    def wait_until_kept(self, count: int, attempt: int = 0) -> None:
        for _ in range(500):
            kept = list(self.endpoints._kept.all())
            if len(kept) == count and all(post.attempt == attempt for post in kept):
                return
            threading.Event().wait(0.01)
        raise AssertionError("it did not happen in time")

    def end(self) -> None:
        self.endpoints.close()
        self.timetable.close()
        self.facts.close()


Begin = Callable[..., OneStart]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Begin]:
    started: list[OneStart] = []

    def again(now: datetime = NOON, *statuses: int) -> OneStart:
        if started:
            started[-1].end()
        started.append(OneStart(Facts(tmp_path / "facts.sqlite"), now, FakeWeb(*statuses)))
        return started[-1]

    yield again
    if started:
        started[-1].end()


def a_subscription() -> Any:
    topic = SimpleNamespace(arn=TOPIC, signature_version="1")
    attributes = {"RedrivePolicy": REDRIVE, "FilterPolicy": "{}"}
    return SimpleNamespace(
        arn=ARN, protocol="http", endpoint="http://web", attributes=attributes, topic=topic
    )


@pytest.fixture
def known() -> Iterator[Any]:
    """A subscription that moto has."""
    subscription = a_subscription()
    subscriptions = sns_backends["123456789012"]["us-east-1"].subscriptions
    subscriptions[ARN] = subscription
    yield subscription
    subscriptions.pop(ARN, None)


def test_a_message_that_was_not_sent_yet_is_sent_after_the_restart_as_it_was(start: Begin) -> None:
    first = start()
    first.endpoints.deliver(MESSAGE, a_subscription(), "1")
    assert first.is_quiet()

    second = start()
    second.begin()
    url, body, headers = second.wait_for_post()

    assert url == "http://web"
    assert b'"Message" : "d"' in body
    assert headers["x-amz-sns-subscription-arn"] == ARN
    second.wait_until_kept(0)
    third = start()
    third.begin()
    assert third.is_quiet()


def test_retries_go_on_counting_and_end_where_they_would_have(start: Begin) -> None:
    first = start(NOON, 500, 500, 500)
    first.begin()
    first.endpoints.deliver(MESSAGE, a_subscription(), "1")
    for attempt in (1, 2, 3):
        first.wait_for_post()
        first.wait_until_kept(1, attempt)
        if attempt < 3:
            first.clock.advance(timedelta(seconds=20))

    second = start(NOON + timedelta(seconds=50), 500)
    second.begin()
    assert second.is_quiet()
    second.clock.advance(timedelta(seconds=10))
    second.wait_for_post()
    assert second.buried.acquire(timeout=5)

    assert second.given_up == [(MESSAGE, REDRIVE, "500")]
    second.wait_until_kept(0)


def test_a_token_stays_good_and_nobody_is_asked_twice(start: Begin, known: Any) -> None:
    first = start()
    first.begin()
    first.endpoints.ask(known)
    _, body, _ = first.wait_for_post()
    first.wait_until_kept(0)

    second = start()
    second.endpoints.ask(known)
    second.begin()

    assert second.is_quiet()
    assert known.attributes["PendingConfirmation"] == "true"
    (token,) = second.endpoints._tokens
    assert token.encode() in body
    assert second.endpoints.confirm(TOPIC, token) == ARN
    assert known.attributes["PendingConfirmation"] == "false"


def test_one_that_subscribes_anew_is_asked_anew_and_only_the_new_token_counts_later(
    start: Begin, known: Any
) -> None:
    first = start()
    first.begin()
    first.endpoints.ask(known)
    first.endpoints.ask(known)
    first.wait_for_post()
    first.wait_for_post()
    newest = list(first.endpoints._tokens)[-1]

    assert list(start().endpoints._tokens) == [newest]


def test_messages_stay_verifiable_as_the_key_is_the_same_at_every_start(tmp_path: Path) -> None:
    document = {"Type": "Notification", "Message": "m", "MessageId": "1", "Timestamp": "t", "TopicArn": TOPIC}
    facts = Facts(tmp_path / "facts.sqlite")
    before = Signer("http://aws", facts)
    signature = before.signature(document, "2")

    after = Signer("http://aws", facts)

    assert after.signature(document, "2") == signature
    assert after.certificate_url == before.certificate_url
    facts.close()


def test_a_message_that_cannot_be_kept_is_not_accepted(start: Begin) -> None:
    it = start()
    it.begin()
    it.endpoints._documents._signer.signature({"Type": "Notification"}, "1")  # its key is made
    it.facts._db.execute("PRAGMA query_only = 1")

    with pytest.raises(FactsNotKeptError):
        it.endpoints.deliver(MESSAGE, a_subscription(), "1")
    assert it.is_quiet()
