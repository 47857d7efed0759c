"""`sightline enrol` against a whole stack: small and large photos, refusals, and doing it again."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from sightline_cli.demo.people import own_enrolment
from tests.e2e.program import Program, Up


def test_a_table_of_people_is_enrolled_and_a_second_time_changes_nothing(
    up: Callable[[], Up], program: Program, tmp_path: Path
) -> None:
    (tmp_path / "small.jpg").write_bytes(own_enrolment().photo)
    (tmp_path / "large.png").write_bytes(a_large_photo())
    (tmp_path / "nobody.png").write_bytes(nobody())
    people = tmp_path / "people.csv"
    people.write_text("person_id,name,photos\nada,Ada,small.jpg;large.png\ngrace,Grace,nobody.png\n")
    stack = up()
    options = ("--photos", str(tmp_path), "--aws-port", stack.aws_port, "--json")

    first = program.run("enrol", str(people), *options)
    second = program.run("enrol", str(people), *options)

    ada, grace, summary = first.events
    assert first.code == second.code == 1
    assert (ada["person_id"], ada["new_faces"], ada["refused"]) == ("ada", 2, [])
    assert (grace["person_id"], grace["refused"][0]["photo"]) == (None, "nobody.png")
    assert grace["refused"][0]["detail"].startswith("No face is in the photo")
    assert (summary["people"], summary["refused"], summary["ok"]) == (1, 1, False)
    assert (second.events[0]["new_faces"], second.events[0]["known_faces"]) == (0, 2)


def a_large_photo() -> bytes:
    """The portrait as a PNG that does not fit in a request: noise cannot be compressed."""
    portrait = Image.open(io.BytesIO(own_enrolment().photo)).convert("RGB").resize((1700, 1700))
    noise = np.random.default_rng(1).integers(-6, 6, (1700, 1700, 3))
    picture, out = np.clip(np.asarray(portrait) + noise, 0, 255).astype("uint8"), io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    assert out.tell() > 4_400_000
    return out.getvalue()


def nobody() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), (90, 120, 90)).save(out, "PNG")
    return out.getvalue()
