from collections.abc import Callable, Iterator

import pytest

from sightline_camera.errors import CameraError, LostConnectionError, RefusedError
from sightline_camera.events import CameraEvent
from sightline_camera.producer import Pace
from sightline_media import Ack, Fragment, UnsupportedVideoError
from sightline_media.acks import BUFFERING, ERROR, IDLE, RECEIVED
from tests.unit.camera.films import START, FakeService, FakeTime, Run, film


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


def lose(timecode_ms: int, *, times: int = 1) -> Callable[[FakeService, Fragment], list[Ack]]:
    """A service that breaks the connection instead of taking this fragment."""
    left = [times]

    def answer(service: FakeService, fragment: Fragment) -> list[Ack]:
        if fragment.timecode_ms == timecode_ms and left[0]:
            left[0] -= 1
            raise LostConnectionError("reset by peer")
        return service.all_acks(fragment)

    return answer


def test_every_fragment_is_sent_once_and_the_summary_counts_them(time: FakeTime) -> None:
    service = FakeService(time)
    run = Run(service)

    summary = run.stream(iter(film(3)))

    assert service.connections == [[0, 2000, 4000]]
    assert (summary.fragments, summary.start, summary.last_fragment_number) == (3, START, "5000")
    assert run.kinds().count("fragment") == 3
    assert service.open_connections == 0


def test_a_fragment_leaves_when_the_time_of_its_last_frame_has_come(time: FakeTime) -> None:
    service = FakeService(time)

    Run(service).stream(iter(film(3)))

    assert service.sent_at == pytest.approx({0: 1.96, 2000: 3.96, 4000: 5.96}, abs=0.11)


def test_without_real_time_nothing_waits(time: FakeTime) -> None:
    service = FakeService(time)

    Run(service, Pace(real_time=False)).stream(iter(film(50)))

    assert time.seconds < 2


def test_events_tell_of_each_fragment_and_each_acknowledgement(time: FakeTime) -> None:
    run = Run(FakeService(time))

    run.stream(iter(film(1)))

    sent = next(event for event in run.events if event.kind == "fragment")
    acks = [event.ack.event_type for event in run.events if event.ack]
    assert (sent.timecode_ms, sent.duration_ms) == (0, 3920)
    assert sent.size_bytes
    assert acks == ["BUFFERING", "RECEIVED", "PERSISTED"]


def test_a_broken_connection_is_resumed_with_what_is_not_persisted(time: FakeTime) -> None:
    service = FakeService(time, lose(4000))
    run = Run(service)

    summary = run.stream(iter(film(5)))

    assert service.connections == [[0, 2000, 4000], [4000, 6000, 8000]]
    assert summary.fragments == 5
    assert run.kinds().count("reconnecting") == 1
    assert [event.detail for event in run.events if event.kind == "fragment" and event.detail] == [
        "sent again"
    ]


def test_what_was_received_but_not_persisted_is_sent_again(time: FakeTime) -> None:
    def answer(service: FakeService, fragment: Fragment) -> list[Ack]:
        if len(service.connections) == 1 and fragment.timecode_ms in (2000, 4000):
            return service.all_acks(fragment)[:2]
        if len(service.connections) == 1 and fragment.timecode_ms == 6000:
            raise LostConnectionError("reset by peer")
        return service.all_acks(fragment)

    service = FakeService(time, answer)

    Run(service).stream(iter(film(5)))

    assert service.connections == [[0, 2000, 4000, 6000], [2000, 4000, 6000, 8000]]


def test_acknowledgements_that_arrived_before_the_end_still_count(time: FakeTime) -> None:
    service = FakeService(time, break_sending_of=8000)

    Run(service, Pace(real_time=False, first_delay=0)).stream(iter(film(6)))

    assert service.connections == [[0, 2000, 4000, 6000], [8000, 10000]]


def test_without_retention_received_is_enough(time: FakeTime) -> None:
    service = FakeService(time, lose(4000), retention=False)

    Run(service).stream(iter(film(5)))

    assert service.connections == [[0, 2000, 4000], [4000, 6000, 8000]]


def test_a_connection_that_breaks_after_the_last_fragment_is_resumed(time: FakeTime) -> None:
    service = FakeService(time, lose(4000))

    summary = Run(service).stream(iter(film(3)))

    assert service.connections == [[0, 2000, 4000], [4000]]
    assert summary.last_fragment_number == "5000"


def test_a_camera_that_fell_behind_catches_up(time: FakeTime) -> None:
    def slow_reconnect(connection: int) -> None:
        time.seconds += 30 * connection

    service = FakeService(time, lose(2000), refuse=slow_reconnect)

    Run(service, Pace(first_delay=0, ack_timeout=100)).stream(iter(film(4)))

    assert service.connections == [[0, 2000], [2000, 4000, 6000]]
    assert service.sent_at[6000] < 35


def test_it_gives_up_when_nothing_is_ever_acknowledged(time: FakeTime) -> None:
    service = FakeService(time, lose(0, times=99))
    run = Run(service)

    with pytest.raises(CameraError, match="the video cannot be delivered: reset by peer"):
        run.stream(iter(film(3)))

    assert len(service.connections) == 3
    assert service.open_connections == 0


def test_a_fragment_that_breaks_every_connection_ends_the_camera(time: FakeTime) -> None:
    def answer(service: FakeService, fragment: Fragment) -> list[Ack]:
        if fragment.timecode_ms == 2000:
            raise LostConnectionError("reset by peer")
        return service.all_acks(fragment)

    service = FakeService(time, answer)

    with pytest.raises(CameraError, match="cannot be delivered"):
        Run(service, Pace(first_delay=0, attempts=4)).stream(iter(film(3)))

    assert service.connections == [[0, 2000]] + [[2000]] * 4


def test_acknowledgements_give_new_patience(time: FakeTime) -> None:
    def answer(service: FakeService, fragment: Fragment) -> list[Ack]:
        if service.connections[-1][0] != fragment.timecode_ms:
            raise LostConnectionError("reset by peer")
        return service.all_acks(fragment)

    service = FakeService(time, answer)

    summary = Run(service, Pace(first_delay=0, attempts=2)).stream(iter(film(10)))

    assert summary.fragments == 10


def test_a_silent_service_is_left_after_a_while(time: FakeTime) -> None:
    def answer(service: FakeService, fragment: Fragment) -> list[Ack]:
        silent = len(service.connections) == 1 and fragment.timecode_ms >= 2000
        return [] if silent else service.all_acks(fragment)

    service = FakeService(time, answer)
    run = Run(service, Pace(first_delay=0, ack_timeout=5))

    run.stream(iter(film(10)))

    assert service.connections[0][:2] == [0, 2000]
    assert service.connections[1][0] == 2000
    assert [event.detail for event in run.events if event.kind == "reconnecting"] == [
        "no acknowledgement for 5 s"
    ]


def test_no_more_than_a_window_of_fragments_is_in_flight(time: FakeTime) -> None:
    run = Run(
        FakeService(time, lambda _service, _fragment: []), Pace(real_time=False, window=3, first_attempts=0)
    )

    with pytest.raises(CameraError, match="no acknowledgement"):
        run.stream(iter(film(10)))

    assert run.kinds().count("fragment") == 3


def test_the_connection_is_replaced_before_the_service_closes_it(time: FakeTime) -> None:
    service = FakeService(time)
    run = Run(service, Pace(first_delay=0, rotate_after=5))

    run.stream(iter(film(7)))

    assert [timecode for connection in service.connections for timecode in connection] == list(
        range(0, 14000, 2000)
    )
    assert [len(connection) for connection in service.connections] == [3, 3, 1]
    assert "reconnecting" not in run.kinds()


def test_an_error_acknowledgement_ends_the_camera_with_one_clear_line(time: FakeTime) -> None:
    error = Ack(ERROR, 0, "1", 4006, "INVALID_MKV_DATA")
    service = FakeService(time, lambda _service, _fragment: [error])
    run = Run(service)

    with pytest.raises(CameraError, match=r"refused the video: INVALID_MKV_DATA \(4006\)"):
        run.stream(iter(film(3)))

    assert run.events[-1].ack == error
    assert service.open_connections == 0


def test_an_error_that_passes_leads_to_a_new_connection(time: FakeTime) -> None:
    def answer(service: FakeService, fragment: Fragment) -> list[Ack]:
        if len(service.connections) == 1 and fragment.timecode_ms == 2000:
            return [Ack(ERROR, 2000, None, 5000, "INTERNAL_ERROR")]
        return service.all_acks(fragment)

    service = FakeService(time, answer)

    Run(service).stream(iter(film(3)))

    assert service.connections == [[0, 2000], [2000, 4000]]


def test_idle_is_told_and_changes_nothing(time: FakeTime) -> None:
    run = Run(FakeService(time, lambda service, fragment: [Ack(IDLE), *service.all_acks(fragment)]))

    summary = run.stream(iter(film(2)))

    assert summary.fragments == 2
    assert any(event.ack and event.ack.event_type == IDLE for event in run.events)


def test_a_refusal_at_the_first_connection_is_final(time: FakeTime) -> None:
    def refuse(_connection: int) -> None:
        raise RefusedError(400, "ConnectionLimitExceededException", "Too many connections.")

    with pytest.raises(CameraError) as caught:
        Run(FakeService(time, refuse=refuse)).stream(iter(film(1)))

    assert str(caught.value) == (
        "PutMedia was refused: ConnectionLimitExceededException: Too many connections. "
        "(another camera is streaming to this video stream)"
    )


def test_a_connection_that_the_service_still_counts_is_waited_for(time: FakeTime) -> None:
    refused: list[int] = []

    def refuse(connection: int) -> None:
        if connection == 1 and len(refused) < 2:
            refused.append(connection)
            raise RefusedError(400, "ConnectionLimitExceededException", "")

    service = FakeService(time, lose(2000), refuse=refuse)

    Run(service).stream(iter(film(3)))

    assert refused == [1, 1]
    assert service.connections == [[0, 2000], [2000, 4000]]


def test_credentials_that_expired_for_good_end_the_camera(time: FakeTime) -> None:
    def refuse(connection: int) -> None:
        if connection == 1:
            raise RefusedError(403, "ExpiredTokenException", "The security token is expired")

    with pytest.raises(CameraError, match="ExpiredTokenException"):
        Run(FakeService(time, lose(2000), refuse=refuse)).stream(iter(film(3)))


def test_a_service_in_trouble_is_asked_again(time: FakeTime) -> None:
    refused: list[int] = []

    def refuse(connection: int) -> None:
        if not refused:
            refused.append(connection)
            raise RefusedError(503, "HTTP 503", "")

    service = FakeService(time, refuse=refuse)

    Run(service).stream(iter(film(1)))

    assert service.connections == [[0]]


def test_stop_ends_the_stream_after_what_was_sent(time: FakeTime) -> None:
    service = FakeService(time)
    run = Run(service)

    def stop_after_the_second(event: CameraEvent) -> None:
        if event.kind == "fragment" and event.timecode_ms == 2000:
            run.stop.set()

    run.listen = stop_after_the_second

    summary = run.stream(iter(film(1000)))

    assert service.connections == [[0, 2000]]
    assert (summary.fragments, summary.last_fragment_number) == (2, "3000")


def test_stop_is_heard_while_waiting_and_while_nothing_answers(time: FakeTime) -> None:
    service = FakeService(time, lambda _service, fragment: [Ack(BUFFERING, fragment.timecode_ms, "1")])
    run = Run(service, Pace(ack_timeout=1000))

    def stop(event: CameraEvent) -> None:
        if event.ack:
            run.stop.set()

    run.listen = stop

    run.stream(iter(film(1000)))

    assert time.seconds < 6


def test_an_empty_film_needs_no_connection(time: FakeTime) -> None:
    service = FakeService(time)

    assert Run(service).stream(iter(())).fragments == 0
    assert service.connections == []


def test_a_film_that_turns_out_to_be_unsuitable_closes_the_connection(time: FakeTime) -> None:
    def broken() -> Iterator[Fragment]:
        yield from film(1)
        raise UnsupportedVideoError("the key frames are too far apart")

    service = FakeService(time)

    with pytest.raises(UnsupportedVideoError):
        Run(service).stream(broken())

    assert service.open_connections == 0


def test_an_interrupt_closes_the_connection(time: FakeTime) -> None:
    service = FakeService(time)
    run = Run(service)

    def interrupt(event: CameraEvent) -> None:
        if event.ack and event.ack.event_type == RECEIVED:
            raise KeyboardInterrupt

    run.listen = interrupt

    with pytest.raises(KeyboardInterrupt):
        run.stream(iter(film(3)))

    assert service.open_connections == 0
