"""What subscribers get: members, order, and a signature that verifies."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sightline_local.cloud.sns.documents import Documents
from sightline_local.cloud.sns.message import InvalidMessage, Message, check_size, read_structure
from sightline_local.cloud.sns.signing import Signer

TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
URL = "http://127.0.0.1:4566"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(URL)


def a_message(subject: str | None = "seen", **more: Any) -> Message:
    return Message("id-1", TOPIC, "text", subject, more.pop("attributes", {}), AT, **more)


def verified(signer: Signer, text: str, document: dict[str, str]) -> bool:
    key = x509.load_pem_x509_certificate(signer.certificate).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    hashed = hashes.SHA1() if document["SignatureVersion"] == "1" else hashes.SHA256()
    try:
        key.verify(base64.b64decode(document["Signature"]), text.encode(), padding.PKCS1v15(), hashed)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(("subject", "line"), [("seen", "Subject\nseen\n"), (None, "")])
def test_the_signature_is_the_one_that_aws_documents(
    signer: Signer, version: str, subject: str | None, line: str
) -> None:
    document = Documents(signer, URL).notification(a_message(subject), "http", f"{TOPIC}:s", version)

    text = (
        f"Message\ntext\nMessageId\nid-1\n{line}Timestamp\n2026-01-02T03:04:05.678Z\n"
        f"TopicArn\n{TOPIC}\nType\nNotification\n"
    )
    assert verified(signer, text, document)
    assert not verified(signer, text.replace("text", "other"), document)


def test_a_notification_has_the_members_of_aws_in_their_order(signer: Signer) -> None:
    attributes = {"n": {"Type": "Number", "Value": "97.2"}}
    document = Documents(signer, URL).notification(a_message(attributes=attributes), "sqs", f"{TOPIC}:s", "1")

    assert list(document) == [
        *("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion"),
        *("Signature", "SigningCertURL", "UnsubscribeURL", "MessageAttributes"),
    ]
    assert document["MessageAttributes"] == attributes
    assert document["SigningCertURL"] == f"{URL}{signer.certificate_path}"


def test_a_function_gets_the_event_that_lambda_documents(signer: Signer) -> None:
    event = json.loads(Documents(signer, URL).lambda_event(a_message(None), f"{TOPIC}:s", "1"))

    (record,) = event["Records"]
    assert list(record) == ["EventSource", "EventVersion", "EventSubscriptionArn", "Sns"]
    assert (record["EventSource"], record["EventVersion"]) == ("aws:sns", "1.0")
    assert record["EventSubscriptionArn"] == f"{TOPIC}:s"
    assert list(record["Sns"]) == [
        *("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion"),
        *("Signature", "SigningCertUrl", "UnsubscribeUrl", "MessageAttributes"),
    ]
    assert (record["Sns"]["Subject"], record["Sns"]["MessageAttributes"]) == (None, {})


def test_a_confirmation_is_signed_with_its_token(signer: Signer) -> None:
    document = Documents(signer, URL).confirmation(TOPIC, "id-2", "token", "2026-01-02T03:04:05.678Z", "2")

    text = "".join(
        f"{name}\n{document[name]}\n"
        for name in ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    )
    assert verified(signer, text, document)
    assert document["SubscribeURL"] == f"{URL}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=token"


def test_each_protocol_gets_its_own_text_and_else_the_default() -> None:
    structure = read_structure('{"default": "{}", "email": "Ada was seen", "http": 7}')
    message = a_message(structure=structure)

    assert [message.text_for(each) for each in ("email", "lambda", "http")] == ["Ada was seen", "{}", "{}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"email": "x"}', "No default entry in JSON message body"),
        ("[]", "JSON message body failed to parse"),
        ("text", "JSON message body failed to parse"),
    ],
)
def test_a_structure_needs_a_default(text: str, problem: str) -> None:
    with pytest.raises(InvalidMessage, match=f"Invalid parameter: Message Structure - {problem}"):
        read_structure(text)


def test_256_kilobytes_are_counted_in_bytes_with_the_attributes() -> None:
    check_size("x" * 262144, {})
    with pytest.raises(InvalidMessage, match="too long"):
        check_size("ü" * 131073, {})
    with pytest.raises(InvalidMessage, match="too long"):
        check_size("x" * 262140, {"n": {"Type": "Number", "Value": "1"}})
