"""A camera, put together: credentials, endpoint, file, producer."""

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import boto3

from sightline_camera.endpoint import put_media_url, region_of
from sightline_camera.errors import CameraError
from sightline_camera.events import CameraEvent, Summary
from sightline_camera.producer import Clock, Pace, Producer
from sightline_camera.put_media import HttpPutMedia
from sightline_camera.signing import put_media_headers
from sightline_camera.source import file_fragments


def _nobody(_event: CameraEvent) -> None:
    pass


def stream_video(
    source: str | Path,
    *,
    stream_arn: str,
    session: boto3.Session,
    endpoint_url: str | None = None,
    real_time: bool = True,
    loop: bool = False,
    on_event: Callable[[CameraEvent], None] = _nobody,
    stop: threading.Event | None = None,
    pace: Pace | None = None,
) -> Summary:
    """Stream a video file into a video stream until it ends, or `stop` is set; events come on this thread.

    Frame 0 counts as filmed when the call begins. `endpoint_url` is that of the control plane (None: AWS).
    CameraError: one line why it cannot go on; MediaError of sightline_media: the file cannot be streamed.
    """
    region = region_of(stream_arn)

    def connect(start: datetime) -> HttpPutMedia:
        # Asked for anew each time: the endpoint may have moved, the credentials may have been refreshed.
        url = put_media_url(session, stream_arn, endpoint_url)
        credentials = session.get_credentials()
        if credentials is None:
            raise CameraError("there are no AWS credentials to stream with")
        frozen = credentials.get_frozen_credentials()
        headers = put_media_headers(
            url, credentials=frozen, region=region, stream_arn=stream_arn, start=start
        )
        return HttpPutMedia(url, headers)

    producer = Producer(
        file_fragments(source, loop=loop),
        connect,
        on_event=on_event,
        stop=stop or threading.Event(),
        pace=pace or Pace(real_time=real_time),
        clock=Clock(),
    )
    return producer.run()
