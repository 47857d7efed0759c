"""Three people are on the list, two are not: who is recognised in 17 clips of a camera, and who wrongly?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from sightline_faces import Face, FacePool, Gallery, Picture, read_photo

STREAM = "derived/asl_watchlist_stream.mkv"
ENROLLED = ("asl_p1", "asl_p2", "asl_p3")
THRESHOLD = 90.0


@dataclass(frozen=True)
class Clip:
    person: str
    start: float
    end: float

    def is_watched(self) -> bool:
        return self.person in ENROLLED


@pytest.fixture(scope="module")
def clips(media: Path) -> list[Clip]:
    items = json.loads((media / "manifest.json").read_text())["items"]
    (stream,) = [item for item in items if item["path"] == STREAM]
    return [Clip(truth["person"], *truth["visible_s"][0]) for truth in stream["ground_truth"]]


@pytest.fixture(scope="module")
def seen(media: Path, face_cache: Path) -> tuple[Gallery, list[tuple[float, list[Face]]]]:
    """The watchlist, and what was seen at which second."""
    gallery = Gallery()
    with FacePool(cache_dir=face_cache) as pool:
        for person in ENROLLED:
            photo = read_photo((media / "derived" / "enrol" / f"{person}.png").read_bytes())
            (face,) = pool.submit(photo, photo=True).result(60)
            assert face.descriptor is not None
            gallery.add(person, face.descriptor)
        waiting = [(second, pool.submit(rgb)) for second, rgb in frames(media / STREAM)]
        return gallery, [(second, result.result(120)) for second, result in waiting]


def frames(path: Path) -> Iterator[tuple[float, Picture]]:
    """Every third frame of 15 a second."""
    with av.open(str(path)) as video:
        for number, frame in enumerate(video.decode(video=0)):
            if number % 3 == 0:
                yield float(frame.time), frame.to_ndarray(format="rgb24")


def matches(gallery: Gallery, faces: list[Face]) -> set[str]:
    found = [gallery.search(face.descriptor, THRESHOLD) for face in faces if face.descriptor is not None]
    return {person for hits in found for person, _ in hits}


@pytest.mark.media
def test_people_on_the_list_are_recognised_and_nobody_is_taken_for_another(
    clips: list[Clip], seen: tuple[Gallery, list[tuple[float, list[Face]]]]
) -> None:
    gallery, moments = seen
    watched = recognised = 0
    recognised_in: dict[Clip, int] = {}
    for second, faces in moments:
        (clip,) = [clip for clip in clips if clip.start <= second < clip.end] or [clips[-1]]
        found = matches(gallery, faces)
        assert found <= {clip.person}, f"a wrong match at {second:.2f} s"
        watched += clip.is_watched()
        recognised += bool(found)
        recognised_in[clip] = recognised_in.get(clip, 0) + bool(found)

    # Measured: 119 of 130 moments.
    assert watched >= 120
    assert recognised / watched > 0.88
    assert all(count >= 2 for clip, count in recognised_in.items() if clip.is_watched())


@pytest.mark.media
def test_the_one_face_is_found_and_described_in_every_frame(
    seen: tuple[Gallery, list[tuple[float, list[Face]]]],
) -> None:
    _, moments = seen

    assert all(len(faces) == 1 for _, faces in moments)
    assert sum(faces[0].descriptor is None for _, faces in moments) <= 2
