import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_faces import distance, similarity
from sightline_faces.scale import similarities


@pytest.mark.parametrize(
    ("apart", "per_cent"),
    [
        (0.0, 99.88),
        (0.2, 99.0),
        (0.424, 90.0),
        (0.467, 85.0),
        (0.5, 80.0),
        (0.6, 58.0),
        (0.63, 50.0),
        (0.9, 5.3),
    ],
)
def test_the_scale_stands_where_it_was_measured(apart: float, per_cent: float) -> None:
    assert similarity(apart) == pytest.approx(per_cent, abs=0.1)


def test_the_thresholds_of_rekognition_are_these_distances() -> None:
    assert distance(80) == pytest.approx(0.500, abs=5e-4)
    assert distance(90) == pytest.approx(0.424, abs=5e-4)


@given(st.floats(0, 1.5))
def test_a_similarity_tells_its_distance(apart: float) -> None:
    assert distance(similarity(apart)) == pytest.approx(apart, abs=1e-9)


@given(st.floats(0.01, 99.99))
def test_a_distance_tells_its_similarity(per_cent: float) -> None:
    assert similarity(distance(per_cent)) == pytest.approx(per_cent, abs=1e-9)


@given(st.floats(0, 1.5), st.floats(1e-6, 1))
def test_farther_apart_is_always_less_similar(apart: float, farther: float) -> None:
    assert similarity(apart + farther) < similarity(apart) < 100


@pytest.mark.parametrize("per_cent", [0, -1, 100, 101])
def test_a_similarity_without_a_distance_is_refused(per_cent: float) -> None:
    with pytest.raises(ValueError, match="per cent"):
        distance(per_cent)


def test_a_broken_descriptor_is_similar_to_nothing() -> None:
    assert similarities(np.array([1e30])) == pytest.approx(0)
