"""Web servers as subscribers: asked first whether they want to, then posted to, with AWS's default retries.

https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
"""

import logging
import secrets
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import urllib3
from moto.sns.models import sns_backends

from sightline_local.clock import Timetable
from sightline_local.cloud.answers import Answer
from sightline_local.cloud.sns.delivery import DeliveryRefused, is_raw
from sightline_local.cloud.sns.documents import Documents, as_text
from sightline_local.cloud.sns.kept_posts import KeptPosts, KeptTokens, Notice, Post, Subscriber
from sightline_local.cloud.sns.message import Message
from sightline_local.state import Facts, FactsNotKeptError

_logger = logging.getLogger(__name__)
_RETRIES, _RETRY_AFTER_SECONDS = 3, 20.0  # the default delivery policy of a topic
_TIMEOUT_SECONDS = 15.0
_TOO_MANY_REQUESTS = 429
_NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"

GiveUp = Callable[[Message, Any, str, DeliveryRefused], None]


class WebEndpoints:
    """The protocols `http` and `https`.

    With facts that are kept, requests wait until `restore` has brought those of the last start, and `begin`.
    """

    def __init__(
        self, documents: Documents, timetable: Timetable, give_up: GiveUp, facts: Facts | None = None
    ) -> None:
        facts = facts or Facts.none()
        self._documents = documents
        self._timetable = timetable
        self._give_up = give_up
        self._kept = KeptPosts(facts)
        self._kept_tokens = KeptTokens(facts)
        self._tokens = self._kept_tokens.all()
        self._held: list[Post] | None = [] if facts.keeps else None
        self._lock = Lock()
        self._closed = False
        self._pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_SECONDS)
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="sns-http")

    def restore(self) -> list[str]:
        """Take up the requests of the last start; each knows by itself whom it is for."""
        for post in self._kept.all():
            self._plan(post)
        return []

    def begin(self) -> None:
        with self._lock:
            held, self._held = self._held or [], None
        for post in held:
            self._queue(post)

    def close(self) -> None:
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._pool.clear()

    def ask(self, subscription: Any) -> None:
        """A new subscription waits until its web server has visited SubscribeURL.

        One that the template makes again has been asked: whether it is confirmed, is restored.
        """
        subscription.attributes["PendingConfirmation"] = "true"
        if self._held is not None and self._kept_tokens.is_known(subscription.arn):
            return
        token, message_id = secrets.token_hex(64), str(uuid.uuid4())
        self._kept_tokens.keep(subscription.arn, token)
        self._tokens[token] = subscription.arn
        topic_arn, version = subscription.topic.arn, _version(subscription)
        now = datetime.now(UTC)
        timestamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z"
        document = self._documents.confirmation(topic_arn, message_id, token, timestamp, version)
        headers = _headers("SubscriptionConfirmation", message_id, topic_arn)
        self._accept(subscription.endpoint, headers, as_text(document), None)

    def confirm(self, topic_arn: str, token: str) -> str | None:
        """The ARN of the subscription that is active now; None for a token of nobody."""
        subscription = _find(self._tokens.get(token, ""))
        if subscription is None or subscription.topic.arn != topic_arn:
            return None
        subscription.attributes["PendingConfirmation"] = "false"
        return str(subscription.arn)

    def visited(self, query: dict[str, str]) -> Answer:
        """SubscribeURL and UnsubscribeURL, which need no signature."""
        if query.get("Action") == "ConfirmSubscription":
            return self._confirmed(query)
        subscription = _find(query.get("SubscriptionArn", ""))
        if subscription and subscription.arn in self._tokens.values():
            subscription.topic.sns_backend.unsubscribe(subscription.arn)
        return _xml(200, f'<UnsubscribeResponse xmlns="{_NAMESPACE}"/>')

    def _confirmed(self, query: dict[str, str]) -> Answer:
        arn = self.confirm(query.get("TopicArn", ""), query.get("Token", ""))
        if arn is None:
            return _xml(400, "<ErrorResponse><Error><Code>InvalidParameter</Code></Error></ErrorResponse>")
        name = "ConfirmSubscription"
        result = f"<{name}Result><SubscriptionArn>{arn}</SubscriptionArn></{name}Result>"
        return _xml(200, f'<{name}Response xmlns="{_NAMESPACE}">{result}</{name}Response>')

    def deliver(self, message: Message, subscription: Any, version: str) -> None:
        """Return at once; the request is made on another thread."""
        headers = _headers("Notification", message.message_id, message.topic_arn)
        headers["x-amz-sns-subscription-arn"] = subscription.arn
        if is_raw(subscription):
            headers["x-amz-sns-rawdelivery"] = "true"
            body = message.text_for(subscription.protocol)
        else:
            body = as_text(
                self._documents.notification(message, subscription.protocol, subscription.arn, version)
            )
        notice = Notice(message, Subscriber.of(subscription), version)
        self._accept(subscription.endpoint, headers, body, notice)

    def _accept(self, url: str, headers: dict[str, str], body: str, notice: Notice | None) -> None:
        post = Post(str(uuid.uuid4()), url, headers, body, self._timetable.clock.now(), notice=notice)
        self._kept.keep(post)
        self._queue(post)

    def _plan(self, post: Post) -> None:
        self._timetable.at(post.moment, lambda: self._queue(post))

    def _queue(self, post: Post) -> None:
        with self._lock:
            if self._held is not None:
                self._held.append(post)
                return
        try:
            self._executor.submit(self._attempt, post)
        except RuntimeError:
            return  # the runtime stops

    def _attempt(self, post: Post) -> None:
        try:
            self._send(post)
        except FactsNotKeptError as error:
            _logger.error("a message to %s may come again: %s", post.url, error)  # noqa: TRY400

    def _send(self, post: Post) -> None:
        try:
            answer = self._pool.request(
                "POST", post.url, body=post.body.encode(), headers=post.headers, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            self._again(post, DeliveryRefused("ConnectionFailure", str(error)))
            return
        if answer.status < 300:
            self._kept.ended(post)
            return
        refusal = DeliveryRefused(str(answer.status), f"{post.url} answered {answer.status}")
        if answer.status >= 500 or answer.status == _TOO_MANY_REQUESTS:
            self._again(post, refusal)
        else:
            self._failed(post, refusal)

    def _again(self, post: Post, refusal: DeliveryRefused) -> None:
        if self._closed:
            return  # the runtime's end, not the web server's failure
        if post.attempt >= _RETRIES:
            self._failed(post, refusal)
            return
        moment = self._timetable.clock.now() + timedelta(seconds=_RETRY_AFTER_SECONDS)
        following = replace(post, attempt=post.attempt + 1, moment=moment)
        try:
            self._kept.keep(following)
        finally:
            self._plan(following)

    def _failed(self, post: Post, refusal: DeliveryRefused) -> None:
        if post.notice:
            self._give_up(post.notice.message, post.notice.subscriber, post.notice.version, refusal)
        self._kept.ended(post)


def _find(subscription_arn: str) -> Any:
    """Moto's subscription, or None."""
    parts = subscription_arn.split(":")
    if len(parts) != 7:
        return None
    return sns_backends[parts[4]][parts[3]].subscriptions.get(subscription_arn)


def _version(subscription: Any) -> str:
    return str(getattr(subscription.topic, "signature_version", "1"))


def _headers(kind: str, message_id: str, topic_arn: str) -> dict[str, str]:
    return {
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": message_id,
        "x-amz-sns-topic-arn": topic_arn,
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
    }


def _xml(status: int, body: str) -> Answer:
    return Answer(status, {"Content-Type": "text/xml"}, body.encode())
