"""Receive Sightline's alerts by HTTPS: checks that SNS signed the message, then prints the alert.

    pip install cryptography
    python webhook.py arn:aws:sns:eu-central-1:123456789012:sightline-AlertsTopic

Put it behind HTTPS and subscribe its URL to the topic (protocol https, raw message delivery off).
"""

import base64
import json
import re
import sys
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

# Whoever may choose the certificate may sign anything: it comes from SNS itself, by HTTPS, or not at all.
AWS_HOST = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
HASHES = {"1": SHA1, "2": SHA256}
MAX_AGE = timedelta(
    hours=1
)  # SNS tries for less than that; an older message was recorded and is played again
MAX_BYTES = 1024 * 1024


class Refused(Exception):
    """Not from our topic."""


@lru_cache(maxsize=8)
def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as response:
        return response.read(65536)


def verify(message: dict, topic_arn: str, now: datetime, fetch: Callable[[str], bytes] = fetch) -> None:
    """Raise Refused unless SNS signed this message for this topic within the last hour."""
    if message.get("TopicArn") != topic_arn:
        raise Refused("another topic")
    if message.get("Type") not in SIGNED or message.get("SignatureVersion") not in HASHES:
        raise Refused("unknown type or signature version")
    if not AWS_HOST.match(message["SigningCertURL"]):
        raise Refused("the certificate is not from SNS")
    if abs(now - datetime.fromisoformat(message["Timestamp"])) > MAX_AGE:
        raise Refused("too old")
    names = [name for name in SIGNED[message["Type"]] if message.get(name) is not None]
    text = "".join(f"{name}\n{message[name]}\n" for name in names)
    key = load_pem_x509_certificate(fetch(message["SigningCertURL"])).public_key()
    signature = base64.b64decode(message["Signature"])
    if not isinstance(key, RSAPublicKey):
        raise Refused("not an RSA key")
    try:
        key.verify(signature, text.encode(), PKCS1v15(), HASHES[message["SignatureVersion"]]())
    except InvalidSignature:
        raise Refused("the signature is wrong") from None


def handle(
    body: bytes, topic_arn: str, on_alert: Callable[[dict], None], fetch: Callable[[str], bytes] = fetch
) -> int:
    """One POST of SNS → the status to answer: 403 is final, after 503 SNS tries again."""
    try:
        message = json.loads(body)
        verify(message, topic_arn, datetime.now(UTC), fetch)
        is_alert = message["Type"] == "Notification"
        if not is_alert and not AWS_HOST.match(message["SubscribeURL"]):
            raise Refused("the subscription is not at SNS")
    except (Refused, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"refused: {error!r}", file=sys.stderr)
        return 403
    except OSError as error:
        print(f"the certificate cannot be fetched now: {error!r}", file=sys.stderr)
        return 503
    try:
        on_alert(json.loads(message["Message"])) if is_alert else fetch(message["SubscribeURL"])
    except Exception as error:  # whatever goes wrong behind the door, the alert must come again
        print(f"not done: {error!r}", file=sys.stderr)
        return 503
    return 200


def show(alert: dict) -> None:
    # The same alert may come twice (SNS delivers at least once): alert_id tells.
    person = alert["person"] or {"name": "unknown face"}
    print(alert["alert_id"], alert["seen_at"], person["name"], alert["device"]["name"], flush=True)


def serve(
    topic_arn: str,
    port: int,
    on_alert: Callable[[dict], None] = show,
    fetch: Callable[[str], bytes] = fetch,
) -> ThreadingHTTPServer:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if 0 < length <= MAX_BYTES:
                status = handle(self.rfile.read(length), topic_arn, on_alert, fetch)
            else:
                status = 413
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return ThreadingHTTPServer(("127.0.0.1", port), Receiver)


if __name__ == "__main__":
    serve(sys.argv[1], port=8000).serve_forever()
