from io import BytesIO

import numpy as np
import pytest

from sightline_faces import BuildError, Face, FaceEngineError
from sightline_faces.protocol import (
    error_of,
    faces_of,
    picture_of,
    receive,
    send_error,
    send_faces,
    send_picture,
)


def test_a_picture_arrives_as_it_was_sent() -> None:
    rgb = np.random.default_rng(3).integers(0, 255, (17, 23, 3), dtype=np.uint8)
    pipe = BytesIO()

    send_picture(pipe, rgb, largest_only=True, photo=False)
    pipe.seek(0)
    message = receive(pipe)

    assert message is not None
    assert np.array_equal(picture_of(message), rgb)
    assert (message[0]["largest_only"], message[0]["photo"]) == (True, False)


def test_faces_arrive_with_their_own_descriptors(astronaut_face: Face, hopper_face: Face) -> None:
    in_profile = Face(
        astronaut_face.box, 70.0, astronaut_face.landmarks, astronaut_face.pose, astronaut_face.quality, None
    )
    pipe = BytesIO()

    send_faces(pipe, [astronaut_face, in_profile, hopper_face])
    pipe.seek(0)
    message = receive(pipe)

    assert message is not None
    faces = faces_of(message)
    assert faces == [astronaut_face, in_profile, hopper_face]
    assert faces[1].descriptor is None
    for sent, found in ((astronaut_face, faces[0]), (hopper_face, faces[2])):
        assert np.array_equal(sent.descriptor, found.descriptor)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [0, 3, 8, 20, -1])
def test_a_message_cut_short_is_none(astronaut_face: Face, length: int) -> None:
    pipe = BytesIO()
    send_faces(pipe, [astronaut_face])

    assert receive(BytesIO(pipe.getvalue()[:length])) is None


@pytest.mark.parametrize("error", [BuildError("no network"), FaceEngineError("something else")])
def test_an_error_arrives_as_what_it_is(error: FaceEngineError) -> None:
    pipe = BytesIO()

    send_error(pipe, error)
    pipe.seek(0)
    message = receive(pipe)

    assert message is not None
    found = error_of(message[0])
    assert type(found) is type(error)
    assert str(found) == str(error)
