from threading import Thread

import numpy as np
import pytest

from sightline_faces import Descriptor, Gallery, similarity


def a_descriptor(*, at: float = 0.0) -> Descriptor:
    """Two of them are as far apart as their `at`s."""
    descriptor = np.zeros(128, np.float32)
    descriptor[7] = at
    return descriptor


def test_the_most_similar_face_comes_first() -> None:
    gallery = Gallery()
    gallery.add("far", a_descriptor(at=0.4))
    gallery.add("near", a_descriptor(at=0.1))
    gallery.add("nearer", a_descriptor(at=0.05))

    found = gallery.search(a_descriptor(at=0.0), min_similarity=80)

    assert [face_id for face_id, _ in found] == ["nearer", "near", "far"]
    assert found[1][1] == pytest.approx(similarity(0.1), abs=1e-4)


def test_a_face_that_is_not_similar_enough_is_not_found() -> None:
    gallery = Gallery()
    gallery.add("just", a_descriptor(at=0.423))
    gallery.add("not quite", a_descriptor(at=0.425))

    found = gallery.search(a_descriptor(), min_similarity=90)

    assert [face_id for face_id, _ in found] == ["just"]


def test_equally_similar_faces_come_in_the_order_of_their_ids() -> None:
    gallery = Gallery()
    for face_id in ("c", "a", "b"):
        gallery.add(face_id, a_descriptor(at=0.2))

    assert [face_id for face_id, _ in gallery.search(a_descriptor())] == ["a", "b", "c"]


def test_an_empty_gallery_finds_nobody() -> None:
    assert Gallery().search(a_descriptor(), min_similarity=0) == []


def test_a_removed_face_is_not_found_any_more() -> None:
    gallery = Gallery()
    gallery.add("one", a_descriptor())
    gallery.search(a_descriptor())

    assert gallery.remove("one")

    assert gallery.search(a_descriptor(), min_similarity=0) == []
    assert "one" not in gallery
    assert len(gallery) == 0
    assert not gallery.remove("one")


def test_a_face_added_again_replaces_the_first() -> None:
    gallery = Gallery()
    gallery.add("one", a_descriptor(at=0.0))
    gallery.add("one", a_descriptor(at=1.0))

    assert len(gallery) == 1
    assert gallery.search(a_descriptor(at=0.0), min_similarity=80) == []


def test_what_the_caller_does_to_a_descriptor_later_does_not_change_the_gallery() -> None:
    gallery = Gallery()
    descriptor = a_descriptor(at=0.0)
    gallery.add("one", descriptor)

    descriptor[7] = 5.0

    assert len(gallery.search(a_descriptor(at=0.0))) == 1


@pytest.mark.parametrize("broken", [np.zeros(127), np.zeros((1, 128)), np.full(128, np.nan)])
def test_what_is_no_descriptor_is_refused(broken: Descriptor) -> None:
    with pytest.raises(ValueError, match="128 finite numbers"):
        Gallery().add("one", broken)


def test_faces_are_added_while_others_are_searched() -> None:
    gallery = Gallery()

    def add_many(prefix: str) -> None:
        for number in range(200):
            gallery.add(f"{prefix}-{number}", a_descriptor())

    writers = [Thread(target=add_many, args=(prefix,)) for prefix in "abc"]

    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert all(per_cent > 99 for _, per_cent in gallery.search(a_descriptor()))
    for writer in writers:
        writer.join()

    assert len(gallery.search(a_descriptor())) == 600
