"""Publishing to a topic: every subscription that is concerned gets its document."""

import json
import logging
import uuid
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.sns.exceptions import InvalidParameterValue
from moto.sqs import sqs_backends
from moto.sqs.exceptions import QueueDoesNotExist

from sightline_local.cloud.patches import topics
from sightline_local.cloud.sns.documents import Documents, as_text
from sightline_local.cloud.sns.filter_policy import attributes_match, body_matches
from sightline_local.cloud.sns.message import InvalidMessage, Message, check_size, check_words, read_structure
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import FunctionNotFound, InvocationRefused
from sightline_local.iam import AccessDenied

_logger = logging.getLogger(__name__)
_SERVICE = "sns.amazonaws.com"

MaySend = Callable[[str, str, str, str], None]  # service, action, queue, topic; raises AccessDenied
Deliver = Callable[[Message, Any, str], None]  # message, moto's subscription, signature version


class DeliveryRefused(Exception):  # noqa: N818  what happened
    """The endpoint will not take the message, now or later."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Notifications:
    """`install` puts it in the place of moto's own publishing."""

    def __init__(
        self,
        documents: Documents,
        functions: Functions,
        authorize_service: MaySend,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._documents = documents
        self._functions = functions
        self._authorize = authorize_service
        self._now = now
        self.protocols: dict[str, Deliver] = {"lambda": self._to_function, "sqs": self._to_queue}

    def install(self) -> None:
        topics.publish_with(self.publish)

    def publish(
        self,
        topic: Any,
        text: str,
        subject: str | None = None,
        message_attributes: Mapping[str, Mapping[str, str]] | None = None,
        message_structure: str | None = None,
    ) -> str:
        """Accept a message for moto's topic and send it on; return its id."""
        message = self._read(topic, text, subject, message_attributes or {}, message_structure)
        subscriptions, _ = topic.sns_backend.list_subscriptions_by_topic(topic_arn=topic.arn)
        for subscription in list(subscriptions):
            if concerns(subscription, message):
                self._deliver(message, subscription, str(getattr(topic, "signature_version", "1")))
        return message.message_id

    def _read(
        self,
        topic: Any,
        text: str,
        subject: str | None,
        attributes: Mapping[str, Mapping[str, str]],
        structure: str | None,
    ) -> Message:
        try:
            check_words(text, subject)
            check_size(text, attributes)
            texts = read_structure(text) if structure == "json" else None
        except InvalidMessage as error:
            raise InvalidParameterValue(str(error)) from error
        return Message(str(uuid.uuid4()), topic.arn, text, subject, attributes, self._now(), texts)

    def _deliver(self, message: Message, subscription: Any, version: str) -> None:
        deliver = self.protocols.get(subscription.protocol)
        if deliver is None:
            return  # e-mail and SMS go nowhere from here
        try:
            deliver(message, subscription, version)
        except DeliveryRefused as refusal:
            self.give_up(message, subscription, version, refusal)

    def give_up(self, message: Message, subscription: Any, version: str, refusal: DeliveryRefused) -> None:
        """To the subscription's dead-letter queue, if it has one."""
        policy = json.loads(subscription.attributes.get("RedrivePolicy") or "{}")
        queue_arn = policy.get("deadLetterTargetArn")
        if not queue_arn:
            _logger.error("SNS could not deliver to %s: %s", subscription.endpoint, refusal)
            return
        told = self._documents.notification(message, subscription.protocol, subscription.arn, version)
        reasons = {"RequestID": str(uuid.uuid4()), "ErrorCode": refusal.code, "ErrorMessage": str(refusal)}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in reasons.items()}
        try:
            self._send(message, queue_arn, as_text(told), attributes)
        except DeliveryRefused as refused:
            _logger.error("SNS could not bury what %s refused: %s", subscription.endpoint, refused)  # noqa: TRY400

    def _to_function(self, message: Message, subscription: Any, version: str) -> None:
        event = self._documents.lambda_event(message, subscription.arn, version)
        try:
            self._functions.invoke_later(
                subscription.endpoint, event, service=_SERVICE, source_arn=message.topic_arn
            )
        except FunctionNotFound as error:
            raise DeliveryRefused("ResourceNotFoundException", f"Function not found: {error}") from error
        except InvocationRefused as error:
            raise DeliveryRefused("AccessDeniedException", str(error)) from error

    def _to_queue(self, message: Message, subscription: Any, version: str) -> None:
        if is_raw(subscription):
            self._send(message, subscription.endpoint, message.text_for("sqs"), _raw_attributes(message))
        else:
            told = self._documents.notification(message, "sqs", subscription.arn, version)
            self._send(message, subscription.endpoint, as_text(told), {})

    def _send(self, message: Message, queue_arn: str, body: str, attributes: dict[str, Any]) -> None:
        """As the service SNS, for the topic: the queue's policy must let it."""
        _, _, _, region, account, name = queue_arn.split(":", 5)
        try:
            self._authorize(_SERVICE, "sqs:SendMessage", queue_arn, message.topic_arn)
            sqs_backends[account][region].send_message(name, body, message_attributes=attributes)
        except AccessDenied as error:
            raise DeliveryRefused("AccessDenied", str(error)) from error
        except QueueDoesNotExist as error:
            raise DeliveryRefused("AWS.SimpleQueueService.NonExistentQueue", str(error)) from error


def concerns(subscription: Any, message: Message) -> bool:
    """Whether the filter policy lets it through; a body filter sees the text of its protocol."""
    if str(subscription.attributes.get("PendingConfirmation")).lower() == "true":
        return False
    policy = json.loads(subscription.attributes.get("FilterPolicy") or "{}")
    if not policy:
        return True
    if subscription.attributes.get("FilterPolicyScope") == "MessageBody":
        return body_matches(policy, message.text_for(subscription.protocol))
    return attributes_match(policy, message.attributes)


def is_raw(subscription: Any) -> bool:
    return str(subscription.attributes.get("RawMessageDelivery")).lower() == "true"


def _raw_attributes(message: Message) -> dict[str, dict[str, Any]]:
    return {name: _as_queues_have_it(value) for name, value in message.attributes.items()}


def _as_queues_have_it(attribute: Mapping[str, str]) -> dict[str, Any]:
    kind, value = attribute["Type"], attribute["Value"]
    if kind.startswith("Binary"):
        return {"DataType": kind, "BinaryValue": b64decode(value)}
    return {"DataType": kind, "StringValue": value}
