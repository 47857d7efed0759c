import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_camera.errors import LostConnectionError
from sightline_camera.response import ResponseReader

CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Amz-RequestId: 7\r\n\r\n"
    b"5\r\nhello\r\n6;note=x\r\n world\r\n0\r\nTrailer: t\r\n\r\n"
)


@given(st.lists(st.integers(1, 200), max_size=20))
def test_a_chunked_answer_is_read_however_it_is_cut(cuts: list[int]) -> None:
    reader, edges = ResponseReader(), [0, *sorted(cut % len(CHUNKED) for cut in cuts), len(CHUNKED)]

    body = b"".join(reader.feed(CHUNKED[begin:end]) for begin, end in itertools.pairwise(edges))

    assert (reader.status, body, reader.ended) == (200, b"hello world", True)
    assert reader.headers["x-amz-requestid"] == "7"


def test_an_answer_of_known_length_ends_with_it() -> None:
    reader = ResponseReader()

    body = reader.feed(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\n\r\nno")
    ended_early = reader.ended
    body += reader.feed(b"pe")

    assert (reader.status, body, ended_early, reader.ended) == (400, b"nope", False, True)


def test_an_empty_answer_ends_at_once() -> None:
    reader = ResponseReader()

    reader.feed(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    assert reader.ended


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    reader = ResponseReader()

    body = reader.feed(b"HTTP/1.0 200 OK\r\n\r\nall of it")
    reader.close()

    assert (body, reader.ended) == (b"all of it", True)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n", CHUNKED[:-4]])
def test_a_connection_that_closes_in_the_middle_is_lost(begun: bytes) -> None:
    reader = ResponseReader()
    reader.feed(begun)

    with pytest.raises(LostConnectionError):
        reader.close()


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 fine\r\n\r\n",
        b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_a_lost_connection(data: bytes) -> None:
    with pytest.raises(LostConnectionError):
        ResponseReader().feed(data)
