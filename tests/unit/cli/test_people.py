"""Who is enrolled for a demo."""

from pathlib import Path
from typing import Any

import pytest

from sightline_cli.api import ApiError
from sightline_cli.demo.people import Enrolment, enrol, own_enrolment, read_enrolment
from sightline_cli.errors import CliError, MisuseError


@pytest.mark.parametrize("text", ["Ada", "=ada.jpg", "Ada=", " =x"])
def test_what_is_not_name_equals_photo_is_a_misuse(text: str) -> None:
    with pytest.raises(MisuseError, match="--person is NAME=PHOTO"):
        read_enrolment(text)


def test_a_path_may_hold_an_equals_sign(tmp_path: Path) -> None:
    (tmp_path / "a=b.jpg").write_bytes(b"picture")

    assert read_enrolment(f"Ada Lovelace={tmp_path}/a=b.jpg") == Enrolment("Ada Lovelace", b"picture")


def test_a_photo_that_rekognition_would_not_take_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "big.jpg").write_bytes(b"x" * (6 << 20))

    with pytest.raises(CliError, match=r"5 MiB at the most, this one has 6.0"):
        read_enrolment(f"Ada={tmp_path}/big.jpg")


def test_a_photo_that_the_api_refuses_is_told_with_the_name() -> None:
    class FakeApi:
        def post(self, path: str, body: dict[str, Any]) -> dict[str, str]:
            if path == "/people":
                return {"person_id": "p1"}
            raise ApiError(400, "The photo shows no face.")

    with pytest.raises(CliError, match=r"Ada cannot be enrolled: The photo shows no face."):
        enrol(FakeApi(), Enrolment("Ada", b"x"))  # type: ignore[arg-type]


def test_the_demo_has_a_portrait_of_its_own() -> None:
    own = own_enrolment()

    assert own.name
    assert own.photo.startswith(b"\xff\xd8")
