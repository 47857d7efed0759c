"""docs/examples/webhook.py: it takes what SNS signed for the topic, and nothing else."""

import base64
import importlib.util
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

TOPIC = "arn:aws:sns:us-east-1:123456789012:sightline-AlertsTopic"
CERTIFICATE_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123.pem"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ALERT = {
    "alert_id": "al-1",
    "seen_at": "2026-11-22T13:02:07.000Z",
    "person": None,
    "device": {"name": "Gate 3"},
}


def certificate_of(key: Any) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


CERTIFICATE = certificate_of(KEY)


def signed(message: dict[str, Any], version: str = "2") -> dict[str, Any]:
    """As the developer guide of SNS says: sorted names and values, each on a line."""
    text = "".join(f"{name}\n{message[name]}\n" for name in sorted(message))
    hashed = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = base64.b64encode(KEY.sign(text.encode(), padding.PKCS1v15(), hashed)).decode()
    return message | {
        "Signature": signature,
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
    }


def a_message(kind: str = "Notification", **changes: Any) -> dict[str, Any]:
    message = {
        "Type": kind,
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "TopicArn": TOPIC,
        "Message": json.dumps(ALERT),
        "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if kind == "SubscriptionConfirmation":
        message |= {
            "Token": "2336412f",
            "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Confirm",
        }
    return message | changes


class Internet:
    def __init__(self, certificate: bytes = CERTIFICATE) -> None:
        self.certificate = certificate
        self.visited: list[str] = []
        self.is_down = False

    def __call__(self, url: str) -> bytes:
        self.visited.append(url)
        if self.is_down:
            raise OSError("no route")
        return self.certificate


@pytest.fixture(scope="module")
def webhook() -> ModuleType:
    path = Path(__file__).resolve().parents[3] / "docs" / "examples" / "webhook.py"
    spec = importlib.util.spec_from_file_location("webhook", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def internet() -> Internet:
    return Internet()


@pytest.fixture
def got() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def post(webhook: ModuleType, internet: Internet, got: list[dict[str, Any]]) -> Callable[[Any], int]:
    def send(message: Any) -> int:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        status: int = webhook.handle(body, TOPIC, got.append, internet)
        return status

    return send


Post = Callable[[Any], int]
Got = list[dict[str, Any]]


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Ada Lovelace (Watchlist) seen at Gate 3, 14:02:07"}])
def test_an_alert_that_sns_signed_is_taken(
    post: Post, got: Got, version: str, subject: dict[str, str]
) -> None:
    assert post(signed(a_message(**subject), version)) == 200
    assert got == [ALERT]


def test_the_subscription_is_confirmed_at_sns(post: Post, got: Got, internet: Internet) -> None:
    assert post(signed(a_message("SubscriptionConfirmation"))) == 200

    assert internet.visited == [CERTIFICATE_URL, "https://sns.us-east-1.amazonaws.com/?Action=Confirm"]
    assert got == []


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "Subject"])
def test_a_message_that_was_changed_is_refused(post: Post, got: Got, name: str) -> None:
    message = signed(a_message(Subject="Ada seen"))
    later = (datetime.now(UTC) + timedelta(seconds=7)).isoformat()

    assert post(message | {name: later}) == 403
    assert got == []


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
        "https://s3.amazonaws.com/evil/x.pem",
        "",
        None,
    ],
)
def test_a_certificate_from_elsewhere_is_not_even_fetched(
    post: Post, got: Got, internet: Internet, url: str | None
) -> None:
    assert post(signed(a_message()) | {"SigningCertURL": url}) == 403
    assert (internet.visited, got) == ([], [])


def test_another_topic_is_refused_although_sns_signed_it(post: Post, got: Got) -> None:
    assert post(signed(a_message(TopicArn=f"{TOPIC}-of-somebody-else"))) == 403
    assert got == []


@pytest.mark.parametrize("hours", [-1.1, 1.1])
def test_a_message_that_is_played_again_is_refused(post: Post, got: Got, hours: float) -> None:
    moment = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()

    assert post(signed(a_message(Timestamp=moment))) == 403
    assert got == []


def test_a_subscription_elsewhere_is_not_visited(post: Post, internet: Internet) -> None:
    message = signed(a_message("SubscriptionConfirmation", SubscribeURL="https://evil.example/confirm"))

    assert post(message) == 403
    assert internet.visited == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"null",
        {"TopicArn": TOPIC},
        signed(a_message()) | {"SignatureVersion": "3"},
        signed(a_message()) | {"Type": "UnsubscribeConfirmation"},
        signed(a_message()) | {"Signature": "not base64!"},
        signed(a_message()) | {"Signature": None},
    ],
)
def test_whatever_else_is_posted_is_refused(post: Post, got: Got, message: Any) -> None:
    assert post(message) == 403
    assert got == []


def test_a_certificate_of_another_kind_of_key_is_refused(webhook: ModuleType, got: Got) -> None:
    internet = Internet(certificate_of(ec.generate_private_key(ec.SECP256R1())))
    body = json.dumps(signed(a_message())).encode()

    assert webhook.handle(body, TOPIC, got.append, internet) == 403


def test_sns_tries_again_when_the_certificate_cannot_be_fetched_or_the_work_fails(
    webhook: ModuleType, post: Post, internet: Internet
) -> None:
    internet.is_down = True
    assert post(signed(a_message())) == 503

    internet.is_down = False
    body = json.dumps(signed(a_message())).encode()
    assert webhook.handle(body, TOPIC, lambda _: 1 / 0, internet) == 503


def test_an_alert_about_an_unknown_face_is_shown(
    webhook: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    webhook.show(ALERT)

    assert capsys.readouterr().out == "al-1 2026-11-22T13:02:07.000Z unknown face Gate 3\n"
