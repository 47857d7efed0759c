"""What the tests of the runtime share."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from sightline_local.runtime import Runtime

Client = Callable[[str], Any]


@pytest.fixture(scope="session")
def client_of() -> Callable[[Runtime], Client]:
    """Plain boto3 clients at a runtime, with the key of this machine's administrator."""

    def of(runtime: Runtime) -> Client:
        def client(service: str) -> Any:
            return boto3.client(  # type: ignore[call-overload]
                service,
                endpoint_url=runtime.aws_url,
                region_name="us-east-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",
            )

        return client

    return of
