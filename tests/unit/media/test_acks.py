import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_media import Ack, AckReader, ErrorId, MediaError, encode_ack
from sightline_media.acks import BUFFERING, ERROR, IDLE, PERSISTED, RECEIVED

ACKS = [
    Ack(BUFFERING, 0, "123"),
    Ack(RECEIVED, 2000, "123"),
    Ack(PERSISTED, 2000, "123"),
    Ack(IDLE),
    Ack(ERROR, 4000, "124", 4006, "INVALID_MKV_DATA"),
]


def test_an_acknowledgement_is_one_line_with_the_keys_of_the_wire() -> None:
    line = encode_ack(Ack(RECEIVED, 2000, "91343852333181432392682062607743920146159169392"))

    assert line == (
        b'{"EventType":"RECEIVED","FragmentTimecode":2000,'
        b'"FragmentNumber":"91343852333181432392682062607743920146159169392"}\r\n'
    )


def test_an_error_carries_its_name() -> None:
    assert b'"ErrorId":4005,"ErrorCode":"MORE_THAN_ALLOWED_TRACKS_FOUND"' in encode_ack(
        Ack(ERROR, error_id=ErrorId.MORE_THAN_ALLOWED_TRACKS_FOUND)
    )


@given(st.lists(st.integers(1, 600), max_size=20))
def test_acknowledgements_survive_any_cutting(cuts: list[int]) -> None:
    data = b"".join(encode_ack(ack) for ack in ACKS)
    edges = [0, *sorted(cut % len(data) for cut in cuts), len(data)]
    reader = AckReader()

    read = [ack for a, b in itertools.pairwise(edges) for ack in reader.feed(data[a:b])]

    assert read == ACKS


def test_several_objects_on_one_line_and_none_at_its_end_are_read() -> None:
    reader = AckReader()

    assert reader.feed(b'{"EventType":"BUFFERING"}{"EventType":"IDLE"}') == [Ack(BUFFERING), Ack(IDLE)]
    assert reader.feed(b"\r\n \r\n") == []


def test_the_spelling_of_the_documentation_and_unknown_error_ids_are_read() -> None:
    (ack,) = AckReader().feed(b'{"AckEventType":"ERROR","FragmentTimecode":"7","ErrorId":4999,"New":1}\n')

    assert ack == Ack(ERROR, 7, None, 4999, "ERROR_4999")


@pytest.mark.parametrize("line", [b"<html>\n", b"[1]\n", b'{"FragmentNumber":"1"}\n', b"{" * 70_000])
def test_what_is_no_acknowledgement_is_an_error(line: bytes) -> None:
    with pytest.raises(MediaError):
        AckReader().feed(line)


def test_error_ids_are_those_of_the_api() -> None:
    assert [int(error_id) for error_id in (ErrorId.MAX_FRAGMENT_SIZE_REACHED, ErrorId.INVALID_MKV_DATA)] == [
        4001,
        4006,
    ]
