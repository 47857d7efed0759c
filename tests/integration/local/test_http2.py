"""HTTP/2 with prior knowledge at the port of HTTP/1.1: clients that behave, and clients that do not."""

import http.client
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Queue
from threading import Event
from typing import Any

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from sightline_local.cloud.http_server import HttpServer
from tests.fakes.http2 import Http2Client

Environ = dict[str, Any]
Client = Callable[..., Http2Client]
BIG = 5_000_000
_WAIT_SECONDS = 10.0


class Lasting:
    """An answer that goes on until it is cancelled: one part at once, then nothing."""

    def __init__(self) -> None:
        self.cancelled, self.closed = Event(), Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"first"
        self.cancelled.wait(_WAIT_SECONDS)

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        self.closed.set()


class Application:
    """WSGI; the path says what it does."""

    def __init__(self) -> None:
        self.seen: Queue[Environ] = Queue()
        self.lasting: Queue[Lasting] = Queue()
        self.failures: Queue[Exception] = Queue()
        self.go_on = Event()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        self.seen.put(environ)
        answer: Iterable[bytes] = getattr(self, environ["PATH_INFO"].strip("/") or "hello")(environ)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Connection", "keep-alive")])
        return answer

    def hello(self, _environ: Environ) -> list[bytes]:
        return [b"hel", b"lo"]

    def echo(self, environ: Environ) -> list[bytes]:
        try:
            return [get_input_stream(environ).read()]
        except ClientDisconnected as error:
            self.failures.put(error)
            raise

    def slow(self, _environ: Environ) -> list[bytes]:
        self.go_on.wait(_WAIT_SECONDS)
        return [b"slow"]

    def big(self, _environ: Environ) -> Iterator[bytes]:
        return iter([b"x" * (BIG // 2)] * 2)

    def parts(self, _environ: Environ) -> Iterator[bytes]:
        yield b"first"
        self.go_on.wait(_WAIT_SECONDS)
        yield b"second"

    def fails(self, _environ: Environ) -> Iterator[bytes]:
        yield b"first"
        raise OSError("the application fails")

    def lasts(self, _environ: Environ) -> Lasting:
        self.lasting.put(answer := Lasting())
        return answer


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def server(application: Application) -> Iterator[HttpServer]:
    with HttpServer(application, 0) as running:
        yield running
        application.go_on.set()


@pytest.fixture
def client(server: HttpServer) -> Iterator[Client]:
    opened: list[Http2Client] = []

    def connect(**given: bool) -> Http2Client:
        opened.append(Http2Client(server.port, **given))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


# -------------------------------------------------------------------------------------------- requests


def test_both_versions_are_answered_at_one_port(server: HttpServer, client: Client) -> None:
    new, old = client(), http.client.HTTPConnection("127.0.0.1", server.port)
    old.request("GET", "/hello")

    answer = new.answer(new.ask("/hello"))

    assert (bytes(answer.body), old.getresponse().read()) == (b"hello", b"hello")
    assert (answer.headers[":status"], answer.headers["content-type"]) == ("200", "text/plain")
    assert "connection" not in answer.headers  # RFC 9113 §8.2.2 forbids it
    old.close()


def test_a_preface_may_come_byte_by_byte(client: Client) -> None:
    slow = client(piecewise=True)

    assert slow.answer(slow.ask()).body == b"hello"


def test_an_application_sees_a_request_as_it_sees_one_of_http_1(
    client: Client, application: Application
) -> None:
    asking = client()

    asking.answer(
        asking.ask("/echo/?a=1%202", method="POST", body=b"{}", content_type="text/x", x_amz_target="K.P")
    )
    asking.answer(asking.ask("/hello"))

    seen = application.seen.get(timeout=_WAIT_SECONDS)
    assert (seen["REQUEST_METHOD"], seen["PATH_INFO"], seen["QUERY_STRING"]) == ("POST", "/echo/", "a=1%202")
    assert (seen["CONTENT_TYPE"], seen["HTTP_X_AMZ_TARGET"], seen["HTTP_HOST"]) == ("text/x", "K.P", "here")
    assert (seen["SERVER_PROTOCOL"], seen["REMOTE_ADDR"]) == ("HTTP/2", "127.0.0.1")


def test_an_answer_to_head_has_no_body(client: Client) -> None:
    asking = client()

    answer = asking.answer(asking.ask("/hello", method="HEAD"))

    assert (answer.headers[":status"], bytes(answer.body), answer.reset) == ("200", b"", None)


def test_a_body_larger_than_every_window_arrives_whole(client: Client) -> None:
    asking, sent = client(), bytes(range(256)) * (BIG // 256)

    with_length = asking.ask("/echo", method="POST", body=sent, content_length=str(len(sent)))
    without = asking.ask("/echo", method="POST", body=sent)

    assert asking.answer(with_length).body == asking.answer(without).body == sent


def test_a_hundred_streams_are_answered_while_one_takes_its_time(
    client: Client, application: Application
) -> None:
    asking = client()
    slow = asking.ask("/slow")

    others = [asking.ask("/hello") for _ in range(100)]

    assert all(asking.answer(each).body == b"hello" for each in others)
    assert not asking.answers[slow].is_whole
    application.go_on.set()
    assert asking.answer(slow).body == b"slow"


def test_large_answers_to_several_streams_at_once_arrive_whole(client: Client) -> None:
    """Also when the socket takes a part of what is sent, because the client reads nothing for a while."""
    asking = client()
    streams = [asking.open("/big", method="GET", ends=True) for _ in range(8)]
    asking.h2.increment_flow_control_window(BIG * 8)
    for each in streams:
        asking.h2.increment_flow_control_window(BIG, each)
    asking.flush()
    time.sleep(0.2)

    assert all(asking.answer(each).body == b"x" * BIG for each in streams)


def test_a_part_is_sent_when_it_is_there(client: Client, application: Application) -> None:
    asking = client()
    parts = asking.ask("/parts")

    asking.until(lambda: asking.answers[parts].body == b"first")

    application.go_on.set()
    assert asking.answer(parts).body == b"firstsecond"


def test_bodies_that_nobody_reads_do_not_use_the_connection_up(client: Client) -> None:
    """Thirty of five million bytes are more than the window of a connection."""
    asking = client()

    for _ in range(30):
        assert asking.answer(asking.ask("/hello", method="POST", body=b"x" * BIG)).body == b"hello"


# -------------------------------------------------------------------------------------------- windows, pings


def test_no_more_is_sent_than_the_client_has_room_for(client: Client) -> None:
    narrow = client(acknowledges=False)
    big, small = narrow.ask("/big"), None
    narrow.until(lambda: len(narrow.answers[big].body) == 65_535)
    with pytest.raises(TimeoutError):
        narrow.take(0.2)

    narrow.acknowledges = True
    narrow.h2.increment_flow_control_window(1 << 20)
    narrow.h2.increment_flow_control_window(1 << 20, big)
    narrow.flush()
    small = narrow.ask("/hello")

    assert narrow.answer(big).body == b"x" * BIG
    assert narrow.answer(small).body == b"hello"


def test_an_answer_ends_even_when_the_client_takes_back_its_room(
    client: Client, application: Application
) -> None:
    """A smaller initial window leaves open streams less than none (RFC 9113 §6.9.2)."""
    narrow = client(acknowledges=False)
    parts = narrow.ask("/parts")
    narrow.until(lambda: narrow.answers[parts].body == b"first")
    narrow.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    narrow.flush()
    narrow.until(lambda: narrow.h2.local_settings.initial_window_size == 0)

    application.go_on.set()
    with pytest.raises(TimeoutError):
        narrow.take(0.2)
    narrow.h2.increment_flow_control_window(11, parts)
    narrow.flush()

    assert narrow.answer(parts).body == b"firstsecond"


def test_one_stream_without_room_keeps_no_other_waiting(client: Client) -> None:
    narrow = client(acknowledges=False)
    narrow.h2.increment_flow_control_window(1 << 20)  # of the connection; a stream has 65,535
    big = narrow.ask("/big")
    narrow.until(lambda: len(narrow.answers[big].body) == 65_535)

    assert narrow.answer(narrow.ask("/hello")).body == b"hello"


def test_pings_are_answered_while_a_stream_is_open(client: Client) -> None:
    asking = client()
    asking.ask("/slow")
    asking.h2.ping(b"whosthat")
    asking.flush()

    asking.until(lambda: asking.pings)

    assert asking.pings == [b"whosthat"]


# -------------------------------------------------------------------------------------------- what goes wrong


def test_an_application_that_fails_half_way_resets_its_stream_and_no_other(client: Client) -> None:
    asking = client()

    failed = asking.answer(asking.ask("/fails"))

    assert (failed.reset, failed.is_whole) == (ErrorCodes.INTERNAL_ERROR, False)
    assert asking.answer(asking.ask()).body == b"hello"


def test_a_reset_cancels_an_answer_that_lasts(client: Client, application: Application) -> None:
    asking = client()
    stream = asking.ask("/lasts")
    lasting = application.lasting.get(timeout=_WAIT_SECONDS)

    asking.reset(stream)

    assert lasting.closed.wait(1)
    assert lasting.cancelled.is_set()
    assert asking.answer(asking.ask()).body == b"hello"


def test_a_client_that_goes_cancels_every_answer_that_lasts(client: Client, application: Application) -> None:
    asking = client()
    for _ in range(3):
        asking.ask("/lasts")
    lasting = [application.lasting.get(timeout=_WAIT_SECONDS) for _ in range(3)]

    asking.close()

    assert all(each.closed.wait(1) for each in lasting)


@pytest.mark.parametrize("said", ["length", "nothing"])
def test_half_a_body_is_not_taken_for_a_whole_one(
    client: Client, application: Application, said: str
) -> None:
    asking = client()
    stream = asking.open("/echo", content_length="10") if said == "length" else asking.open("/echo")
    asking.send(stream, b"half", ends=False)
    application.seen.get(timeout=_WAIT_SECONDS)

    asking.close()

    assert isinstance(application.failures.get(timeout=_WAIT_SECONDS), ClientDisconnected)


def test_a_client_that_breaks_the_protocol_is_told_so_and_others_go_on(client: Client) -> None:
    rude, polite = client(), client()
    lasting = polite.ask("/parts")
    rude.until(lambda: rude.h2.max_outbound_frame_size > 16_384)

    rude.socket.sendall(b"\x00\x00\x01\x00\x00\x00\x00\x00\x00\xff")  # DATA on stream 0
    with pytest.raises(ConnectionError):
        rude.until(lambda: False)

    assert rude.goodbye == ErrorCodes.PROTOCOL_ERROR
    polite.until(lambda: polite.answers[lasting].body == b"first")


def test_closing_the_server_ends_open_streams_of_both_versions_with_a_goodbye(
    server: HttpServer, client: Client, application: Application
) -> None:
    new, old = client(), http.client.HTTPConnection("127.0.0.1", server.port)
    new.ask("/lasts")
    old.request("GET", "/lasts")
    lasting = [application.lasting.get(timeout=_WAIT_SECONDS) for _ in range(2)]
    started = time.monotonic()

    server.close()

    assert all(each.closed.wait(1) for each in lasting)
    assert time.monotonic() - started < 2
    with pytest.raises(ConnectionError):
        new.until(lambda: False)
    assert new.goodbye == ErrorCodes.NO_ERROR
    old.close()
