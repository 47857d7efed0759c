"""The frame of an alert, fetched from the recorded video by fragment and offset, with the face boxed."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from botocore.exceptions import ClientError
from numpy.typing import NDArray

from sightline_cli.demo.alerts import ReceivedAlert
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt
from sightline_cli.stack import Stack
from sightline_media import FragmentReader, decode_frame_at, draw_box, save_jpeg

ARCHIVE_SECONDS = 10.0

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the evidence of one alert lies."""

    alert_id: str
    frame: Path
    unboxed_frame: Path
    alert: Path

    def paths(self) -> dict[str, str]:
        return {"frame": str(self.frame), "unboxed_frame": str(self.unboxed_frame), "alert": str(self.alert)}


def collect(stack: Stack, received: ReceivedAlert, folder: Path, interrupt: Interrupt) -> Evidence:
    """Write frame, boxed frame and alert into `folder`."""
    proof = received.alert["evidence"]
    media = fetch_fragment(stack, proof["video_stream_arn"], proof["fragment_number"], interrupt)
    frame = frame_at(media, float(proof["frame_offset_seconds"]))
    folder.mkdir(parents=True, exist_ok=True)
    evidence = Evidence(
        received.alert_id,
        folder / f"{received.alert_id}.jpg",
        folder / f"{received.alert_id}-unboxed.jpg",
        folder / f"{received.alert_id}.json",
    )
    label = f"{received.person_name} {received.alert['similarity']:.1f}"
    save_jpeg(evidence.unboxed_frame, frame)
    box = proof["box"]
    edges = (box["left"], box["top"], box["width"], box["height"])
    save_jpeg(evidence.frame, draw_box(frame, edges, label))
    evidence.alert.write_text(
        json.dumps(received.alert, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return evidence


def fetch_fragment(stack: Stack, stream_arn: str, number: str, interrupt: Interrupt) -> bytes:
    """Read one fragment from the archive; it may lie there a moment after it was analysed."""
    endpoint = stack.client("kinesisvideo").get_data_endpoint(
        StreamARN=stream_arn, APIName="GET_MEDIA_FOR_FRAGMENT_LIST"
    )["DataEndpoint"]
    archive = stack.session.client(
        "kinesis-video-archived-media", endpoint_url=endpoint, config=stack.target.config()
    )
    found: list[bytes] = []

    def fetched() -> bool:
        try:
            answer = archive.get_media_for_fragment_list(StreamARN=stream_arn, Fragments=[number])
            found.append(answer["Payload"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return False
        return bool(found[-1])

    if not interrupt.wait_for(fetched, ARCHIVE_SECONDS):
        raise CliError(f"the video stream has no fragment {number}")
    return found[-1]


def frame_at(media: bytes, offset_seconds: float) -> Rgb:
    """Decode the frame that lies nearest to an offset in a fragment."""
    reader = FragmentReader()
    fragments = [*reader.feed(media), *reader.finish()]
    if not fragments:
        raise CliError("the video stream answered without the fragment of the alert")
    return decode_frame_at(fragments[0], offset_seconds).rgb
