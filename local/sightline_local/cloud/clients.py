"""boto3 clients at the gateway, one per service and session."""

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

    def __init__(self, endpoint_url: str, region: str) -> None:
        self.endpoint_url = endpoint_url
        self.region = region
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = Lock()

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        lent = credentials or ADMIN_CREDENTIALS
        with self._lock:  # boto3 sessions are not safe to share between threads
            key = (service, lent.access_key)
            if key not in self._clients:
                self._clients[key] = self._create(service, lent)
            return self._clients[key]

    def _create(self, service: str, lent: Credentials) -> Any:
        own = botocore.session.Session()
        own.register_component("data_loader", _models())
        session = boto3.Session(
            botocore_session=own,
            region_name=self.region,
            **lent.for_boto3(),  # type: ignore[arg-type]
        )
        client: Any = session.client(service, endpoint_url=self.endpoint_url, config=_CONFIG)  # type: ignore[call-overload]
        return client
