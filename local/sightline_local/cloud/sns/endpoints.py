"""Web servers as subscribers: asked first whether they want to, then posted to, with AWS's default retries.

https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
"""

import secrets
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import urllib3

from sightline_local.clock import Timetable
from sightline_local.cloud.answers import Answer
from sightline_local.cloud.sns.delivery import DeliveryRefused, is_raw
from sightline_local.cloud.sns.documents import Documents, as_text
from sightline_local.cloud.sns.message import Message

_RETRIES, _RETRY_AFTER_SECONDS = 3, 20.0  # the default delivery policy of a topic
_TIMEOUT_SECONDS = 15.0
_TOO_MANY_REQUESTS = 429
_NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"

GiveUp = Callable[[Message, Any, str, DeliveryRefused], None]


@dataclass(frozen=True, slots=True)
class _Post:
    """One request on its way; `failed` is told why it will never arrive."""

    url: str
    headers: dict[str, str]
    body: str
    failed: Callable[[DeliveryRefused], None]
    attempt: int = 0


class WebEndpoints:
    """The protocols `http` and `https`."""

    def __init__(self, documents: Documents, timetable: Timetable, give_up: GiveUp) -> None:
        self._documents = documents
        self._timetable = timetable
        self._give_up = give_up
        self._tokens: dict[str, Any] = {}  # token → moto's subscription
        self._pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_SECONDS)
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="sns-http")

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._pool.clear()

    def ask(self, subscription: Any) -> None:
        """A new subscription waits until its web server has visited SubscribeURL."""
        subscription.attributes["PendingConfirmation"] = "true"
        token, message_id = secrets.token_hex(64), str(uuid.uuid4())
        self._tokens[token] = subscription
        topic_arn, version = subscription.topic.arn, _version(subscription)
        now = datetime.now(UTC)
        timestamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z"
        document = self._documents.confirmation(topic_arn, message_id, token, timestamp, version)
        headers = _headers("SubscriptionConfirmation", message_id, topic_arn)
        self._queue(_Post(subscription.endpoint, headers, as_text(document), lambda _refusal: None))

    def confirm(self, topic_arn: str, token: str) -> str | None:
        """The ARN of the subscription that is active now; None for a token of nobody."""
        subscription = self._tokens.get(token)
        if subscription is None or subscription.topic.arn != topic_arn:
            return None
        subscription.attributes["PendingConfirmation"] = "false"
        return str(subscription.arn)

    def visited(self, query: dict[str, str]) -> Answer:
        """SubscribeURL and UnsubscribeURL, which need no signature."""
        if query.get("Action") == "ConfirmSubscription":
            return self._confirmed(query)
        arn = query.get("SubscriptionArn", "")
        for subscription in self._tokens.values():
            if subscription.arn == arn:
                subscription.topic.sns_backend.unsubscribe(arn)
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

        def failed(refusal: DeliveryRefused) -> None:
            self._give_up(message, subscription, version, refusal)

        self._queue(_Post(subscription.endpoint, headers, body, failed))

    def _queue(self, post: _Post) -> None:
        try:
            self._executor.submit(self._send, post)
        except RuntimeError:
            return  # the runtime stops

    def _send(self, post: _Post) -> None:
        try:
            answer = self._pool.request(
                "POST", post.url, body=post.body.encode(), headers=post.headers, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            self._again(post, DeliveryRefused("ConnectionFailure", str(error)))
            return
        if answer.status < 300:
            return
        refusal = DeliveryRefused(str(answer.status), f"{post.url} answered {answer.status}")
        if answer.status >= 500 or answer.status == _TOO_MANY_REQUESTS:
            self._again(post, refusal)
        else:
            post.failed(refusal)

    def _again(self, post: _Post, refusal: DeliveryRefused) -> None:
        if post.attempt >= _RETRIES:
            post.failed(refusal)
            return
        following = replace(post, attempt=post.attempt + 1)
        self._timetable.after(_RETRY_AFTER_SECONDS, lambda: self._queue(following))


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
