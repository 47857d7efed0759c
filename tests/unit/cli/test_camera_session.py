"""The credentials that the API lends to a device."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sightline_cli.api import ApiError
from sightline_cli.camera_session import device_session


class FakeApi:
    """Lends credentials that live for as long as it is told."""

    def __init__(self, lifetime: timedelta) -> None:
        self.lifetime = lifetime
        self.asked: list[str] = []

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, str]:
        assert body is None
        self.asked.append(path)
        return {
            "access_key_id": f"key{len(self.asked)}",
            "secret_access_key": "secret",
            "session_token": "token",
            "expiration": (datetime.now(UTC) + self.lifetime).isoformat(),
        }


def test_a_device_session_uses_what_the_api_lends_and_nothing_of_the_user() -> None:
    api = FakeApi(timedelta(hours=1))

    session = device_session(api, "gate 3", "us-east-1")  # type: ignore[arg-type]
    credentials = session.get_credentials()

    assert credentials is not None
    assert credentials.get_frozen_credentials() == ("key1", "secret", "token", None)
    assert api.asked == ["/devices/gate%203/credentials"]


def test_credentials_that_are_about_to_expire_are_asked_for_anew() -> None:
    api = FakeApi(timedelta(minutes=5))
    credentials = device_session(api, "gate", "us-east-1").get_credentials()  # type: ignore[arg-type]
    assert credentials is not None

    api.lifetime = timedelta(hours=1)

    assert credentials.get_frozen_credentials().access_key == "key2"
    assert credentials.get_frozen_credentials().access_key == "key2"


def test_a_refusal_of_the_api_comes_out_as_it_is() -> None:
    class Refusing(FakeApi):
        def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, str]:
            raise ApiError(409, "the device is not running")

    session = device_session(Refusing(timedelta(hours=1)), "gate", "us-east-1")  # type: ignore[arg-type]

    with pytest.raises(ApiError, match="the device is not running"):
        session.get_credentials()
