"""What arrives: the notification that queues and web servers get, and the event of a function.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

import json
from typing import Any

from sightline_local.cloud.sns.message import Message
from sightline_local.cloud.sns.signing import Signer


class Documents:
    """Writes and signs."""

    def __init__(self, signer: Signer, aws_url: str) -> None:
        self._signer = signer
        self._aws_url = aws_url

    def notification(
        self, message: Message, protocol: str, subscription_arn: str, version: str
    ) -> dict[str, Any]:
        """Members in AWS's order; without a subject or attributes these members are absent."""
        document: dict[str, Any] = {
            "Type": "Notification",
            "MessageId": message.message_id,
            "TopicArn": message.topic_arn,
            **({"Subject": message.subject} if message.subject else {}),
            "Message": message.text_for(protocol),
            "Timestamp": message.timestamp,
        }
        document |= {
            "SignatureVersion": version,
            "Signature": self._signer.signature(document, version),
            "SigningCertURL": self._signer.certificate_url,
            "UnsubscribeURL": f"{self._aws_url}/?Action=Unsubscribe&SubscriptionArn={subscription_arn}",
        }
        if message.attributes:
            document["MessageAttributes"] = {name: dict(value) for name, value in message.attributes.items()}
        return document

    def lambda_event(self, message: Message, subscription_arn: str, version: str) -> bytes:
        """A function is told URLs as `Url`, and what is not there as null and {}."""
        told = self.notification(message, "lambda", subscription_arn, version)
        record = {
            **{name: told[name] for name in ("Type", "MessageId", "TopicArn")},
            "Subject": told.get("Subject"),
            **{name: told[name] for name in ("Message", "Timestamp", "SignatureVersion", "Signature")},
            "SigningCertUrl": told["SigningCertURL"],
            "UnsubscribeUrl": told["UnsubscribeURL"],
            "MessageAttributes": told.get("MessageAttributes", {}),
        }
        entry = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription_arn,
            "Sns": record,
        }
        return json.dumps({"Records": [entry]}).encode()

    def confirmation(self, topic_arn: str, message_id: str, token: str, timestamp: str, version: str) -> Any:
        """What a web server gets first, and must answer by a visit to SubscribeURL."""
        query = f"Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}"
        document = {
            "Type": "SubscriptionConfirmation",
            "MessageId": message_id,
            "Token": token,
            "TopicArn": topic_arn,
            "Message": f"You have chosen to subscribe to the topic {topic_arn}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message.",
            "SubscribeURL": f"{self._aws_url}/?{query}",
            "Timestamp": timestamp,
        }
        return document | {
            "SignatureVersion": version,
            "Signature": self._signer.signature(document, version),
            "SigningCertURL": self._signer.certificate_url,
        }


def as_text(document: dict[str, Any]) -> str:
    """Laid out as SNS lays it out."""
    return json.dumps(document, indent=2, separators=(",", " : "), ensure_ascii=False)
