"""Pages that neither repeat nor leave out, whatever happens between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_local.cloud.paging import page
from sightline_local.cloud.service import ServiceError


@given(
    names=st.sets(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)),
    size=st.integers(1, 5),
)
def test_pages_together_are_the_whole_list(names: set[str], size: int) -> None:
    seen: list[str] = []
    token = None
    while True:
        chosen, token = page(sorted(names), token, size)
        seen += chosen
        if token is None:
            break

    assert seen == sorted(names)


def test_a_removed_name_does_not_shift_the_next_page() -> None:
    first, token = page(["a", "b", "c", "d"], None, 2)

    second, end = page(["b", "c", "d"], token, 2)

    assert (first, second, end) == (["a", "b"], ["c", "d"], None)


def test_a_foreign_token_is_refused_with_the_error_of_the_service() -> None:
    with pytest.raises(ServiceError) as refused:
        page(["a"], "%%", 1, error="InvalidPaginationTokenException")

    assert refused.value.code == "InvalidPaginationTokenException"
