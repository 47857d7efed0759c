from sightline_camera.outbox import Outbox
from sightline_media import Ack
from sightline_media.acks import BUFFERING, IDLE, PERSISTED, RECEIVED
from tests.unit.camera.films import film


def outbox(count: int) -> Outbox:
    box = Outbox()
    for fragment in film(count):
        box.add(fragment, fragment.timecode_ms / 1000)
    return box


def unsafe(box: Outbox) -> list[int]:
    return [fragment.timecode_ms for fragment in box.take_unsafe()]


def test_nothing_is_safe_before_it_is_acknowledged() -> None:
    box = outbox(2)
    box.acknowledge(Ack(BUFFERING, 0, "1"))
    box.acknowledge(Ack(IDLE))

    assert not box.is_safe
    assert box.in_flight == 2
    assert box.oldest_in_flight() == 0.0
    assert unsafe(box) == [0, 2000]
    assert box.is_empty


def test_received_is_safe_until_the_stream_turns_out_to_persist() -> None:
    box = outbox(3)
    for timecode_ms in (0, 2000, 4000):
        box.acknowledge(Ack(RECEIVED, timecode_ms, "1"))

    assert box.is_safe
    box.acknowledge(Ack(PERSISTED, 0, "1"))
    assert not box.is_safe
    assert box.in_flight == 0
    assert unsafe(box) == [2000, 4000]


def test_persisted_is_gone() -> None:
    box = outbox(1)
    box.acknowledge(Ack(PERSISTED, 0, "1"))

    assert box.is_empty
    assert box.is_safe


def test_acknowledgements_of_other_fragments_change_nothing() -> None:
    box = outbox(1)
    box.acknowledge(Ack(PERSISTED, 77, "1"))

    assert unsafe(box) == [0]


def test_a_stream_that_persists_nothing_does_not_fill_the_memory() -> None:
    box = Outbox()
    for fragment in film(100):
        box.add(fragment, 0.0)
        box.acknowledge(Ack(RECEIVED, fragment.timecode_ms, "1"))

    box.acknowledge(Ack(PERSISTED, 0, "1"))

    assert len(unsafe(box)) <= 10
