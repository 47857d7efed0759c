"""One video stream: what CreateStream made and later calls changed."""

import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

SETTLING = timedelta(milliseconds=100)
"""How long a stream is CREATING or DELETING. Long enough that nobody can forget to wait for it."""

MAX_RETENTION_HOURS = 87_600


def new_version() -> str:
    return secrets.token_hex(10)


@dataclass(frozen=True, slots=True)
class VideoStream:
    """Frozen; a change is a new value with a new version, as AWS demands the version to change it again."""

    arn: str
    name: str
    created_at: datetime
    media_type: str | None
    retention_hours: int
    device_name: str | None = None
    deleted_at: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)
    version: str = field(default_factory=new_version)

    @property
    def slug(self) -> str:
        """What its folder and its facts are called: another stream of the same name has another one."""
        return self.arn.rpartition("stream/")[2].replace("/", "-")

    def encoded(self) -> bytes:
        """As a fact; a stream that is being deleted has none."""
        return json.dumps(asdict(self) | {"created_at": self.created_at.isoformat()}).encode()

    @classmethod
    def decoded(cls, value: bytes) -> Self:
        members = json.loads(value)
        return cls(**members | {"created_at": datetime.fromisoformat(members["created_at"])})

    def status(self, now: datetime) -> str:
        if self.deleted_at:
            return "DELETING"
        return "CREATING" if now < self.created_at + SETTLING else "ACTIVE"

    def is_gone(self, now: datetime) -> bool:
        return self.deleted_at is not None and now >= self.deleted_at + SETTLING

    def retaining(self, hours: int) -> Self:
        return replace(self, retention_hours=hours, version=new_version())

    def tagged(self, tags: dict[str, str]) -> Self:
        return replace(self, tags=tags)

    def deleted(self, now: datetime) -> Self:
        return replace(self, deleted_at=now, version=new_version())
