import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import RejectedError
from sightline.paging import Page, PageRequest, read_page_request


def test_without_parameters_a_page_has_fifty_items_from_the_start() -> None:
    assert read_page_request(None, None) == PageRequest(limit=50, after=None)


@pytest.mark.parametrize("limit", ["1", "100"])
def test_a_limit_from_1_to_100_is_taken(limit: str) -> None:
    assert read_page_request(limit, None).limit == int(limit)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "", "1.5", "1e1", "٣", "9" * 5000])
def test_any_other_limit_is_refused(limit: str) -> None:
    with pytest.raises(RejectedError) as caught:
        read_page_request(limit, None)

    assert [each.field for each in caught.value.errors] == ["limit"]


@given(st.text(min_size=1))
def test_the_next_cursor_leads_to_where_the_page_ended(key: str) -> None:
    cursor = Page((), key).to_json(lambda item: item)["next_cursor"]

    assert read_page_request(None, cursor).after == key


def test_the_last_page_has_no_cursor() -> None:
    assert Page(("a", "b"), None).to_json(lambda item: {"is": item}) == {
        "items": [{"is": "a"}, {"is": "b"}],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    "cursor", ["", "abc", "gate-3", "🙂", "djE6", "=", base64.b64encode(b"\xff\xfe").decode(), "djE6YQ!"]
)
def test_a_cursor_that_no_list_returned_is_refused(cursor: str) -> None:
    with pytest.raises(RejectedError) as caught:
        read_page_request(None, cursor)

    assert [each.field for each in caught.value.errors] == ["cursor"]
