"""The signature of a notification, by a key of this machine's own.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from threading import Lock, Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sightline_local.state import Facts, FactsNotKeptError

_KIND = "sns.signing-key"
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}


class Signer:
    """Its certificate is served at `certificate_url`: on AWS that is a host of amazonaws.com.

    The key is kept, as messages wait in queues that were signed before a restart.
    """

    def __init__(self, aws_url: str, facts: Facts | None = None) -> None:
        self._facts = facts or Facts.none()
        kept = json.loads(self._facts.get(_KIND, "") or "null")
        self._pem: str | None = kept and kept["key"]
        self.certificate_path = (
            kept["path"] if kept else f"/SimpleNotificationService-{secrets.token_hex(16)}.pem"
        )
        self.certificate_url = f"{aws_url}{self.certificate_path}"
        self._made: rsa.RSAPrivateKey | None = None
        self._making = Lock()

    def warm(self) -> None:
        """Make the key in the background: the first message should not wait for it."""
        Thread(target=self._warm, name="sns-key", daemon=True).start()

    def signature(self, document: Mapping[str, str | None], version: str) -> str:
        """Version "1" hashes by SHA-1, "2" by SHA-256; absent members (no subject) are not signed."""
        lines: list[str] = []
        for name in _SIGNED[str(document["Type"])]:
            value = document.get(name)
            if value is not None:
                lines += [name, value]
        hashed = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303  SNS's default version
        text = "".join(f"{line}\n" for line in lines)
        return base64.b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), hashed)).decode()

    @cached_property
    def certificate(self) -> bytes:
        """PEM."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    @property
    def _key(self) -> rsa.RSAPrivateKey:
        with self._making:
            if self._made is None:
                self._made = _read(self._pem) if self._pem else self._new_key()
            return self._made

    def _new_key(self) -> rsa.RSAPrivateKey:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._facts.put(_KIND, "", json.dumps({"path": self.certificate_path, "key": pem.decode()}).encode())
        return key

    def _warm(self) -> None:
        with suppress(FactsNotKeptError):  # whoever needs it is told
            assert self._key


def _read(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
