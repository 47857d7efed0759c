"""Chunked bodies, however they are cut on their way."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_local.cloud.kinesisvideo.http_body import RequestBody, hang_up, has_gone

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    client, server = socket.socketpair()
    yield client, server
    client.close()
    server.close()


def everything(body: RequestBody) -> bytes:
    found = b""
    while piece := body.read(1):
        found += piece
    return found


@given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=8), cuts=st.lists(st.integers(1, 400)))
def test_a_chunked_body_is_the_same_however_it_is_cut(chunks: list[bytes], cuts: list[int]) -> None:
    client, server = socket.socketpair()
    with client, server:
        wire = b"".join(b"%x;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
        start = 0
        for cut in sorted(cuts):
            client.sendall(wire[start:cut])
            start = max(start, cut)
        client.sendall(wire[start:])

        assert everything(RequestBody(server)) == b"".join(chunks)


def test_what_is_there_is_returned_before_the_chunk_is_complete(pair: Pair) -> None:
    client, server = pair
    body = RequestBody(server)

    client.sendall(b"a\r\nhalf")

    assert body.read(1) == b"half"
    assert body.read(0.01) is None
    client.sendall(b"-other\r\n0\r\n\r\n")
    assert everything(body) == b"-other"


def test_a_body_of_known_length_ends_with_its_length(pair: Pair) -> None:
    client, server = pair
    client.sendall(b"123456")

    assert everything(RequestBody(server, length=6)) == b"123456"
    assert RequestBody(server, length=0).read(0.01) == b""


@pytest.mark.parametrize("wire", [b"5\r\nabc", b"zz\r\nabc\r\n"], ids=["cut off", "no size"])
def test_a_broken_body_is_a_broken_connection(pair: Pair, wire: bytes) -> None:
    client, server = pair
    body = RequestBody(server)
    client.sendall(wire)
    client.close()

    with pytest.raises(ConnectionError):
        everything(body)


def test_a_client_that_hung_up_is_noticed(pair: Pair) -> None:
    client, server = pair
    assert not has_gone(server)

    client.close()

    assert has_gone(server)


def test_hanging_up_lets_the_client_read_the_answer_although_it_still_sends(pair: Pair) -> None:
    client, server = pair
    client.sendall(b"x" * 10_000)
    server.sendall(b"sorry")
    client.shutdown(socket.SHUT_WR)

    hang_up(server)

    assert client.recv(100) == b"sorry"
