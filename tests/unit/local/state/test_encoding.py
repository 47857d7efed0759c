"""What moto's objects hold, as JSON and back."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sightline_local.state.encoding import decode, encode, simple_attributes


def test_bytes_moments_and_names_come_back_as_they_were() -> None:
    value = {"b": b"\x00\xff", "t": datetime(2026, 11, 22, 1, 2, 3, 4, UTC), "é": [1, 1.5, None, True, "x"]}

    assert decode(encode(value)) == value


def test_what_cannot_be_kept_is_an_error_and_never_dropped() -> None:
    with pytest.raises(TypeError, match="object"):
        encode({"thing": object()})


def test_only_simple_attributes_are_taken() -> None:
    thing = SimpleNamespace(name="x", size=1, lock=object(), tags={"a": "b"}, gone=None)

    assert simple_attributes(thing) == {"name": "x", "size": 1, "gone": None}
