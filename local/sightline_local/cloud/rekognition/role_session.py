"""The role that a stream processor was given, really assumed, and boto3 clients with its keys."""

from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from sightline_local.cloud.clients import Clients
from sightline_local.iam import Credentials, Sessions, TrustDenied
from sightline_local.state import FactsNotKeptError

_RENEW_AFTER = timedelta(hours=6)  # half of a session's life

_CONFIG = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},
    inject_host_prefix=False,
    proxies={},  # this machine is never behind HTTP_PROXY
    parameter_validation=False,  # see FaceStream.check
    read_timeout=60,
)


@cache
def _models() -> Loader:
    """Reading the models of services takes longer than all else about a client: once for all processors."""
    return create_loader()


class ProcessorFailedError(Exception):
    """The processor cannot go on; the message is the StatusMessage that AWS documents for the cause."""


class RoleSession:
    def __init__(self, sessions: Sessions, clients: Clients, role_arn: str, processor_arn: str) -> None:
        self._sessions = sessions
        self._gateway_url = clients.endpoint_url
        self._region = clients.region
        self._role_arn = role_arn
        self._processor_arn = processor_arn
        self._credentials: Credentials | None = None
        self._assumed_at = datetime.min.replace(tzinfo=UTC)
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = Lock()

    def client(self, service: str, endpoint_url: str | None = None) -> Any:
        """A boto3 client with the role's keys, at the gateway or at the given endpoint."""
        with self._lock:
            credentials = self._current()
            key = (service, endpoint_url or self._gateway_url)
            if key not in self._clients:
                self._clients[key] = self._create(service, key[1], credentials)
            return self._clients[key]

    def _create(self, service: str, endpoint_url: str, credentials: Credentials) -> Any:
        own = botocore.session.Session()
        own.register_component("data_loader", _models())
        session = boto3.Session(
            botocore_session=own,
            region_name=self._region,
            **credentials.for_boto3(),  # type: ignore[arg-type]
        )
        create: Any = session.client
        return create(service, endpoint_url=endpoint_url, config=_CONFIG)

    def _current(self) -> Credentials:
        now = datetime.now(UTC)
        if self._credentials is None or now - self._assumed_at > _RENEW_AFTER:
            self._credentials = self._assume()
            self._assumed_at = now
            self._clients.clear()
        return self._credentials

    def _assume(self) -> Credentials:
        try:
            return self._sessions.assume(
                self._role_arn,
                "rekognition-stream-processor",
                service_principal="rekognition.amazonaws.com",
                source_arn=self._processor_arn,
            )
        except TrustDenied as error:
            raise ProcessorFailedError("Access denied to Role") from error
        except FactsNotKeptError as error:
            raise ProcessorFailedError("Internal error") from error


def is_denial(code: str) -> bool:
    """Whether an error code says that the role may not."""
    return code in {"AccessDeniedException", "NotAuthorizedException"}
