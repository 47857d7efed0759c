"""The camera client on a thread of its own, its events on a queue."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

STOP_SECONDS = 10


@dataclass
class Streaming:
    """One run of the camera client; its events, and whatever the caller adds, come out of `events`."""

    events: "queue.Queue[Any]" = field(default_factory=queue.Queue)
    stop: threading.Event = field(default_factory=threading.Event)
    summary: Any = None
    error: BaseException | None = None
    _thread: threading.Thread | None = None

    @property
    def ended(self) -> bool:
        return self._thread is not None and not self._thread.is_alive()

    def start(
        self,
        source: Path,
        *,
        stream_arn: str,
        session: boto3.Session,
        endpoint_url: str | None,
        loop: bool = False,
    ) -> None:
        def run() -> None:
            from sightline_camera import stream_video  # noqa: PLC0415 - PyAV is slow to import

            try:
                self.summary = stream_video(
                    source,
                    stream_arn=stream_arn,
                    session=session,
                    endpoint_url=endpoint_url,
                    loop=loop,
                    on_event=self.events.put,
                    stop=self.stop,
                )
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                self.error = error

        self._thread = threading.Thread(target=run, name="camera", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """End the camera if it still runs, and wait for it."""
        self.stop.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)


@contextmanager
def streaming() -> Iterator[Streaming]:
    """Give a Streaming that has ended when the block is left, however it is left."""
    camera = Streaming()
    try:
        yield camera
    finally:
        camera.finish()
