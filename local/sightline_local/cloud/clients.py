"""boto3 clients at the gateway, one per service and session."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from sightline_local.iam import ADMIN_CREDENTIALS, Credentials

_CONFIG = Config(
    retries={"total_max_attempts": 2, "mode": "standard"},
    inject_host_prefix=False,
    proxies={},  # a company's proxy is no way to this machine
    s3={"addressing_style": "path"},
    max_pool_connections=32,
    read_timeout=910,  # an invocation may take 15 minutes
)


@cache
def _models() -> Loader:
    """Reading a service's model takes longer than all else about a client: once for all sessions."""
    return create_loader()


class Clients:
    """`client("kinesis", credentials)`; without credentials it acts as the administrator."""

    def __init__(self, endpoint_url: str, region: str, user_agent: str = "") -> None:
        self.endpoint_url = endpoint_url
        self.region = region
        self._config = _CONFIG.merge(Config(user_agent_extra=user_agent)) if user_agent else _CONFIG
        self._lenders: dict[str, _Lender] = {}  # by access key
        self._lock = Lock()

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        lent = credentials or ADMIN_CREDENTIALS
        with self._lock:  # boto3 sessions are not safe to share between threads
            lender = self._lenders.get(lent.access_key) or self._lender(lent)
            if service not in lender.clients:
                lender.clients[service] = lender.session.client(  # type: ignore[call-overload]
                    service, endpoint_url=self.endpoint_url, config=self._config
                )
            return lender.clients[service]

    def _lender(self, lent: Credentials) -> "_Lender":
        now = datetime.now(UTC)
        for key, each in list(self._lenders.items()):
            if each.until and each.until < now:
                del self._lenders[key]
        own = botocore.session.Session()
        own.register_component("data_loader", _models())
        session = boto3.Session(
            botocore_session=own,
            region_name=self.region,
            **lent.for_boto3(),  # type: ignore[arg-type]
        )
        lender = self._lenders[lent.access_key] = _Lender(session, lent.expiration)
        return lender


@dataclass(slots=True)
class _Lender:
    """The clients of one session; they are of no use once its keys have ended."""

    session: boto3.Session
    until: datetime | None
    clients: dict[str, Any] = field(default_factory=dict)
