"""AWS credentials that the API lends to one device: they reach its video stream and nothing else."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import boto3
import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

from sightline_cli.api import ApiClient

METHOD = "sightline-device"


def device_session(api: ApiClient, device_id: str, region: str | None) -> boto3.Session:
    """Give a session whose credentials are asked for anew, from the API, before they expire."""

    def lend() -> dict[str, Any]:
        return as_metadata(api.post(f"/devices/{quote(device_id, safe='')}/credentials"))

    session = botocore.session.Session()
    # Only ours: a camera must never fall back on the credentials of whoever runs it.
    session.register_component("credential_provider", CredentialResolver([_Lent(lend)]))
    return boto3.Session(botocore_session=session, region_name=region)


def as_metadata(lent: dict[str, Any]) -> dict[str, Any]:
    """Turn the API's answer into what botocore calls metadata."""
    return {
        "access_key": lent["access_key_id"],
        "secret_key": lent["secret_access_key"],
        "token": lent["session_token"],
        "expiry_time": lent["expiration"],
    }


class _Lent(CredentialProvider):
    METHOD = METHOD
    CANONICAL_NAME = METHOD

    def __init__(self, lend: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._lend = lend

    def load(self) -> RefreshableCredentials:
        return RefreshableCredentials.create_from_metadata(
            metadata=self._lend(), refresh_using=self._lend, method=METHOD
        )
